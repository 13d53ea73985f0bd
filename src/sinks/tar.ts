import { open } from 'node:fs/promises';
import { compressor } from '../compression/compress.js';
import type { Context } from '../context.js';
import type { Rootfs } from '../rootfs/node.js';
import { outputError } from './output-error.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { stageFile } from './staging.js';
import { hashing } from './tar/hash.js';
import { writeTree } from './tar/stream.js';
import { inTurn, toDescriptor, toStandardOutput, type WriteBytes } from './tar/writer.js';
import { refuseZeros } from './tar/zeros.js';

export interface TarSinkOptions extends SinkOptions {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** gzip: 1 to 12; zstd: 1 to 19. Absent: the usual one. */
  readonly level?: number;
  /** Whether the artifact has a digest. Default true. */
  readonly digest?: boolean;
}

/** How a flat tar holds a tree: sparse files as such, ACLs in both forms. */
export const FLAT_TAR = { sparse: true, aclText: true };

/**
 * Writes the tree as one tar: PAX, in the order of `walk`, the same bytes for the same tree everywhere. It holds all
 * that a tree can say, so there are no losses. `-` is standard output: when its reader goes away the system's own error
 * (`code` is `EPIPE`) is thrown.
 */
export function tarSink(output: string, options: TarSinkOptions): Sink {
  return {
    write: (flattened, context) =>
      output === '-' ? toStdout(flattened, context, options) : toFile(output, flattened, context, options),
  };
}

async function toStdout(flattened: Flattened, context: Context, options: TarSinkOptions): Promise<Artifact> {
  await flattened.verified;
  try {
    return await writeTar('-', flattened, toStandardOutput(context.signal), context, options);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') throw error;
    throw outputError(error, '-');
  }
}

async function toFile(
  output: string,
  flattened: Flattened,
  context: Context,
  options: TarSinkOptions,
): Promise<Artifact> {
  // Its refusal is heard below, where it is awaited; until then it must not end the process.
  flattened.verified.catch(() => {});
  const staging = await stageFile(output, options);
  try {
    const artifact = await writeFile(staging.path, (write) =>
      writeTar(output, flattened, write, context, options),
    );
    await flattened.verified;
    await staging.publish();
    return artifact;
  } catch (error) {
    await staging.discard();
    throw outputError(error, output);
  }
}

/** Makes a new file and closes it when `work` is done. */
async function writeFile<T>(path: string, work: (write: WriteBytes) => Promise<T>): Promise<T> {
  const file = await open(path, 'wx', 0o666);
  try {
    return await work(toDescriptor(file.fd));
  } finally {
    await file.close();
  }
}

async function writeTar(
  output: string,
  { rootfs, verified, bounds }: Flattened,
  write: WriteBytes,
  context: Context,
  options: TarSinkOptions,
): Promise<Artifact> {
  refuseZeros(rootfs, FLAT_TAR, bounds);
  // Verification may still run: what it refuses is not worth writing on.
  let refused: { readonly error: unknown } | undefined;
  verified.catch((error: unknown) => {
    refused = { error };
  });
  let bytes = 0;
  const put = (chunk: Uint8Array): Promise<void> => {
    if (refused !== undefined) throw refused.error;
    bytes += chunk.length;
    return write(chunk);
  };
  const isDigested = options.digest ?? true;
  await using hash = isDigested ? hashing(rootfs.bytes, put) : undefined;
  await writeStream(rootfs, hash?.write ?? inTurn(put), context, options);
  const digest = await hash?.digest();
  return { output, entries: rootfs.entries, bytes, ...(digest && { digest }), losses: [] };
}

async function writeStream(
  rootfs: Rootfs,
  emit: WriteBytes,
  context: Context,
  { compression, level }: TarSinkOptions,
): Promise<void> {
  if (compression === 'none') return writeTree(rootfs, emit, context, FLAT_TAR);
  const { signal } = context;
  await using stream = compressor(compression, emit, { signal, ...(level !== undefined && { level }) });
  await writeTree(
    rootfs,
    inTurn((bytes) => stream.write(bytes)),
    context,
    FLAT_TAR,
  );
  await stream.end();
}
