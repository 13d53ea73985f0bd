import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import type { Codec } from '../compression/block.js';
import type { Context } from '../context.js';
import { throwIfAborted } from '../errors.js';
import type { Loss } from '../losses.js';
import { Meter } from '../meter.js';
import type { Digest } from '../oci/digest.js';
import { compressFile } from './compress-file.js';
import { outputError } from './output-error.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { type Staging, stageFile } from './staging.js';
import type { VerityFiles } from './verity-files.js';
import type { VerityOption } from './verity-names.js';

/** Options of every sink of disk images, beyond the image's own. */
export interface DiskFileOptions {
  /** Compress the finished image. Default: as it is. */
  readonly compression?: Codec;
  /** Compute the file's digest. Default false. */
  readonly digest?: boolean;
  /**
   * Add a hash tree for dm-verity: `true` puts it behind the file system, a path puts it in a file of its own. `OUTPUT.verity.json` says
   * what one needs to open it. Default: none.
   */
  readonly verity?: VerityOption;
}

/** Builds a whole image at `path`, where nothing is yet, and gives what it could not hold. On an error the file may be there. */
export type BuildDisk = (flattened: Flattened, path: string, context: Context) => Promise<readonly Loss[]>;

/** A sink that writes the file which `build` makes, compressed where that is asked for. */
export function diskFileSink(output: string, options: SinkOptions & DiskFileOptions, build: BuildDisk): Sink {
  const verified: BuildDisk = (flattened, path, context) =>
    buildVerified({ output, build }, flattened, path, context);
  const { compression } = options;
  return {
    write: (flattened, context) =>
      compression === undefined
        ? writeImage(output, options, verified, flattened, context)
        : writeCompressed(output, compression, options, verified, flattened, context),
  };
}

async function writeImage(
  output: string,
  options: SinkOptions & DiskFileOptions,
  build: BuildDisk,
  flattened: Flattened,
  context: Context,
): Promise<Artifact> {
  const { check, ...placing } = options;
  const staging = await stageFile(output, placing);
  let files: VerityFiles | undefined;
  try {
    files = await stagedVerity(output, options);
    const losses = await build(flattened, staging.path, context);
    const verity = await files?.seal(staging.path, context);
    const digest = options.digest ? await digestOf(staging.path, context) : undefined;
    const { size: bytes } = statSync(staging.path);
    await check?.(staging.path);
    await publishAll(staging, files);
    const { entries } = flattened.rootfs;
    return { output, entries, bytes, ...(digest && { digest }), ...(verity && { verity }), losses };
  } finally {
    await staging.discard();
    await files?.discard();
  }
}

/** The image is made whole, beside the output, since it is not written from front to back; then it is compressed. */
async function writeCompressed(
  output: string,
  kind: Codec,
  { check, ...options }: SinkOptions & DiskFileOptions,
  build: BuildDisk,
  flattened: Flattened,
  context: Context,
): Promise<Artifact> {
  const staging = await stageFile(output, options);
  const { raw } = staging;
  let files: VerityFiles | undefined;
  try {
    files = await stagedVerity(output, options);
    const losses = await build(flattened, raw, context);
    const verity = await files?.seal(raw, context);
    await check?.(raw);
    const packed = await compressFile(raw, staging.path, kind, context).catch((error) => {
      throw outputError(error, output);
    });
    await publishAll(staging, files);
    return { output, entries: flattened.rootfs.entries, ...packed, ...(verity && { verity }), losses };
  } finally {
    await staging.discard();
    await files?.discard();
  }
}

/**
 * The image appears last: whoever sees it sees what belongs to it. Whoever sees an old image with a new description, after a crash in between, is told
 * by its root hash that they do not belong together.
 */
async function publishAll(image: Staging, files: VerityFiles | undefined): Promise<void> {
  await files?.publish();
  try {
    await image.publish();
  } catch (error) {
    files?.retract();
    throw error;
  }
}

/** The files of a hash tree, where one is asked for: most images do without the code. */
async function stagedVerity(
  output: string,
  options: SinkOptions & DiskFileOptions,
): Promise<VerityFiles | undefined> {
  if (options.verity === undefined) return undefined;
  const { VerityFiles } = await import('./verity-files.js');
  return VerityFiles.stage(output, options.verity, options);
}

/** Builds an image whole and verified at `path`, not yet published. */
async function buildVerified(
  { output, build }: { readonly output: string; readonly build: BuildDisk },
  flattened: Flattened,
  path: string,
  context: Context,
): Promise<readonly Loss[]> {
  flattened.verified.catch(() => {}); // it is awaited in the end; until then its failure is no unhandled one
  try {
    const losses = await build(flattened, path, context);
    await flattened.verified;
    throwIfAborted(context.signal);
    return losses;
  } catch (error) {
    throw outputError(error, output);
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
