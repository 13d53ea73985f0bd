import { createHash } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, openSync } from 'node:fs';
import type { Context } from '../context.js';
import { ioError, throwIfAborted } from '../errors.js';
import { populate } from '../ext/populate/populate.js';
import type { Digest } from '../oci/digest.js';
import { type ExtOptions, planImage, type PlannedImage } from './ext/plan.js';
import { finishImage, formatImage } from './ext/format.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { type Staging, stageFile } from './staging.js';

export type { ExtOptions } from './ext/plan.js';

/**
 * A disk image: a file with an ext2, ext3 or ext4 file system of just the size that the tree takes. It needs e2fsprogs
 * and no privileges. The same tree and options give the same bytes. Beyond what every sink throws: `UNSUPPORTED` for what
 * the format cannot hold and `LIMIT` for a size too small, both before anything is written; `TOOL`.
 */
export function extSink(output: string, options: SinkOptions & ExtOptions): Sink {
  return { write: (flattened, context) => writeImage(output, options, flattened, context) };
}

async function writeImage(
  output: string,
  options: SinkOptions & ExtOptions,
  flattened: Flattened,
  context: Context,
): Promise<Artifact> {
  const staging = await stageFile(output, options);
  try {
    const plan = await planImage(flattened.rootfs, options, context);
    await buildImage(output, staging, plan, context);
    const digest = options.digest ? await digestOf(staging.path, context) : undefined;
    await flattened.verified;
    throwIfAborted(context.signal);
    await staging.publish();
    const { entries } = flattened.rootfs;
    const { losses, image } = plan;
    return { output, entries, bytes: image.geometry.bytes, ...(digest && { digest }), losses };
  } finally {
    await staging.discard();
  }
}

async function buildImage(
  output: string,
  { path }: Staging,
  { image, identity }: PlannedImage,
  context: Context,
): Promise<void> {
  const tools = { signal: context.signal, time: image.time };
  try {
    const fd = openSync(path, 'wx+');
    try {
      ftruncateSync(fd, image.geometry.bytes);
      await formatImage(path, image.geometry, identity, tools);
      await populate(fd, image, context);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw ioError(error, `${output}: cannot be written`);
  }
  await finishImage(path, tools);
}

async function digestOf(path: string, { signal }: Context): Promise<Digest> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    throwIfAborted(signal);
    hash.update(chunk);
  }
  return `sha256:${hash.digest('hex')}`;
}
