import { createHash } from 'node:crypto';
import { closeSync, createReadStream, ftruncateSync, openSync, statSync } from 'node:fs';
import type { Context } from '../context.js';
import { ioError, throwIfAborted } from '../errors.js';
import { ContentCrew } from '../ext/content/crew.js';
import { writeStructure } from '../ext/populate/populate.js';
import type { PackKind } from '../layer/pack.js';
import { Meter } from '../meter.js';
import type { Digest } from '../oci/digest.js';
import { finishImage, formatImage, judgeImage } from './ext/format.js';
import { type ExtOptions, type PlannedImage, planImage } from './ext/plan.js';
import { checkVersion } from './ext/tool.js';
import { packFile } from './pack-file.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { stageFile } from './staging.js';

export type { ExtOptions } from './ext/plan.js';

/** Options of the sink beyond the image's own. */
export interface ExtSinkOptions extends ExtOptions {
  /** Pack the finished image. Default: as it is. */
  readonly compression?: PackKind;
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
        : writePacked(output, compression, options, flattened, context),
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
    const { losses, image } = await plannedImage(output, staging.path, options, flattened, context);
    const digest = options.digest ? await digestOf(staging.path, context) : undefined;
    await staging.publish();
    const { entries } = flattened.rootfs;
    return { output, entries, bytes: image.geometry.bytes, ...(digest && { digest }), losses };
  } finally {
    await staging.discard();
  }
}

/** The image is made whole, beside the output, since mke2fs and e2fsck want a file; then it is packed. */
async function writePacked(
  output: string,
  kind: PackKind,
  { check, ...options }: SinkOptions & ExtSinkOptions,
  flattened: Flattened,
  context: Context,
): Promise<Artifact> {
  const staging = await stageFile(output, options);
  const { raw } = staging;
  try {
    const { losses } = await plannedImage(output, raw, options, flattened, context);
    await check?.(raw);
    const packed = await packFile(raw, staging.path, kind, context).catch((error) => {
      throw inWords(error, output);
    });
    await staging.publish();
    return { output, entries: flattened.rootfs.entries, ...packed, losses };
  } finally {
    await staging.discard();
  }
}

/** Plans an image and builds it whole and verified at `path`, not yet published. */
async function plannedImage(
  output: string,
  path: string,
  options: SinkOptions & ExtSinkOptions,
  flattened: Flattened,
  context: Context,
): Promise<PlannedImage> {
  flattened.verified.catch(() => {}); // it is awaited in the end; until then its failure is no unhandled one
  const crew = new ContentCrew(context.signal);
  try {
    const ready = checkVersion({ signal: context.signal, time: 1 });
    ready.catch(() => {}); // as above
    const plan = await planImage(flattened.rootfs, options, crew, context);
    await ready;
    await buildImage(path, plan, crew, context);
    await flattened.verified;
    throwIfAborted(context.signal);
    return plan;
  } catch (error) {
    throw inWords(error, output);
  } finally {
    await crew.dismiss();
  }
}

function inWords(error: unknown, output: string): unknown {
  const isFromSystem = (error as NodeJS.ErrnoException).syscall !== undefined;
  return isFromSystem ? ioError(error, `${output}: cannot be written`) : error;
}

async function buildImage(
  path: string,
  { image, identity }: PlannedImage,
  crew: ContentCrew,
  context: Context,
): Promise<void> {
  const { signal } = context;
  const tools = { signal, time: image.time };
  const fd = openSync(path, 'wx+');
  try {
    ftruncateSync(fd, image.geometry.bytes);
    await formatImage(path, image.geometry, identity, tools);
    const rows = await writeStructure(fd, image, signal);
    await finishImage(path, tools);
    // e2fsck reads no content, but has all that is written brought to the disk first: so it starts before the content.
    const judged = judgeImage(path, tools);
    const copying = crew.start(rows, { kind: 'copy', fd });
    const copied = copying.finish(new Meter(context, 'write', rows.bytes));
    await settled(judged, copied);
  } finally {
    closeSync(fd);
  }
}

/** Waits for both, whatever becomes of them; throws the first's failure, or the second's. */
async function settled(...promises: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(promises);
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
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
