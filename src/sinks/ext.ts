import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { Codec } from '../compression/block.js';
import type { Context } from '../context.js';
import { throwIfAborted } from '../errors.js';
import { checkExtTools, type ExtOptions, type ExtPlan, planExt, writeExt } from '../ext/ext.js';
import type { Loss } from '../losses.js';
import { Meter } from '../meter.js';
import type { Digest } from '../oci/digest.js';
import { compressFile } from './compress-file.js';
import { outputError } from './output-error.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { stageFile } from './staging.js';

/** Options of the sink beyond the image's own. */
export interface ExtSinkOptions extends ExtOptions {
  /** Compress the finished image. Default: as it is. */
  readonly compression?: Codec;
  /** Compute the file's digest. Default false. */
  readonly digest?: boolean;
}

/**
 * A disk image: a file with an ext2, ext3 or ext4 file system of just the size that the tree takes. It needs e2fsprogs
 * and no privileges. The same input and options give the same bytes. Beyond what every sink throws: `UNSUPPORTED` for what
 * the format cannot hold and `LIMIT` for a size too small, both before anything is written; `TOOL`.
 */
export function extSink(output: string, options: SinkOptions & ExtSinkOptions): Sink {
  const { compression } = options;
  return {
    write: (flattened, context) =>
      compression === undefined
        ? writeImage(output, options, flattened, context)
        : writeCompressed(output, compression, options, flattened, context),
  };
}

async function writeImage(
  output: string,
  options: SinkOptions & ExtSinkOptions,
  flattened: Flattened,
  context: Context,
): Promise<Artifact> {
  const staging = await stageFile(output, options);
  try {
    const losses = await builtImage(output, staging.path, options, flattened, context);
    const digest = options.digest ? await digestOf(staging.path, context) : undefined;
    const { size: bytes } = statSync(staging.path);
    await staging.publish();
    const { entries } = flattened.rootfs;
    return { output, entries, bytes, ...(digest && { digest }), losses };
  } finally {
    await staging.discard();
  }
}

/** The image is made whole, beside the output, since mke2fs and e2fsck want a file; then it is compressed. */
async function writeCompressed(
  output: string,
  kind: Codec,
  { check, ...options }: SinkOptions & ExtSinkOptions,
  flattened: Flattened,
  context: Context,
): Promise<Artifact> {
  const staging = await stageFile(output, options);
  const { raw } = staging;
  try {
    const losses = await builtImage(output, raw, options, flattened, context);
    await check?.(raw);
    const packed = await compressFile(raw, staging.path, kind, context).catch((error) => {
      throw outputError(error, output);
    });
    await staging.publish();
    return { output, entries: flattened.rootfs.entries, ...packed, losses };
  } finally {
    await staging.discard();
  }
}

/** Plans an image and builds it whole and verified at `path`, not yet published. */
async function builtImage(
  output: string,
  path: string,
  options: SinkOptions & ExtSinkOptions,
  flattened: Flattened,
  context: Context,
): Promise<readonly Loss[]> {
  flattened.verified.catch(() => {}); // it is awaited in the end; until then its failure is no unhandled one
  let plan: ExtPlan | undefined;
  try {
    const ready = checkExtTools(context.signal);
    ready.catch(() => {}); // as above
    plan = await planExt(flattened.rootfs, options, context);
    await ready;
    await writeExt(path, plan, context);
    await flattened.verified;
    throwIfAborted(context.signal);
    return plan.losses;
  } catch (error) {
    throw outputError(error, output);
  } finally {
    await plan?.close();
  }
}

async function digestOf(path: string, context: Context): Promise<Digest> {
  const hash = createHash('sha256');
  const meter = new Meter(context, 'digest', statSync(path).size);
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) {
    throwIfAborted(context.signal);
    hash.update(chunk);
    meter.add(chunk.length);
  }
  meter.end();
  return `sha256:${hash.digest('hex')}`;
}
