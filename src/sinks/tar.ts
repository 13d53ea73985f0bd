import { open } from 'node:fs/promises';
import type { Context } from '../context.js';
import { ioError } from '../errors.js';
import { type Packer, packer } from '../layer/pack.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { stageFile } from './staging.js';
import { openHash } from './tar/hash.js';
import { writeTree } from './tar/stream.js';
import { inTurn, toDescriptor, toStandardOutput, type WriteBytes } from './tar/writer.js';

export interface TarSinkOptions extends SinkOptions {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** gzip: 1 to 9; zstd: 1 to 19. Absent: the usual one. */
  readonly level?: number;
}

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
    throw inWords(error, 'standard output');
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
    throw inWords(error, output);
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
  { rootfs, verified }: Flattened,
  write: WriteBytes,
  context: Context,
  options: TarSinkOptions,
): Promise<Artifact> {
  // Verification may still run: what it refuses is not worth writing on.
  let refused: { readonly error: unknown } | undefined;
  verified.catch((error: unknown) => {
    refused = { error };
  });
  const writeNext = inTurn(write);
  let bytes = 0;
  const emit = async (chunk: Uint8Array): Promise<void> => {
    if (refused !== undefined) throw refused.error;
    bytes += chunk.length;
    const readers = [writeNext(chunk), hash.update(chunk)];
    // Not before both are through, also when one has failed, are the bytes and the descriptor free.
    await Promise.allSettled(readers);
    await Promise.all(readers);
  };
  const packing = openPacker(emit, context, options);
  const hash = openHash(rootfs.bytes);
  try {
    const out = packing === undefined ? emit : inTurn((chunk) => packing.write(chunk));
    await writeTree(rootfs, out, context, { sparse: true });
    await packing?.end();
    return { output, entries: rootfs.entries, bytes, digest: await hash.digest(), losses: [] };
  } finally {
    hash.close();
    await packing?.stop();
  }
}

function openPacker(emit: WriteBytes, { signal }: Context, options: TarSinkOptions): Packer | undefined {
  const { compression, level } = options;
  if (compression === 'none') return undefined;
  return packer(compression, emit, { signal, ...(level === undefined ? {} : { level }) });
}

/** A system error of the output; every other error is no news of it. */
function inWords(error: unknown, output: string): unknown {
  const isSystem = error instanceof Error && 'syscall' in error;
  return isSystem ? ioError(error, `${output}: cannot be written`) : error;
}
