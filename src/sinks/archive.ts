import { open } from 'node:fs/promises';
import { compressor } from '../compression/compress.js';
import type { Context } from '../context.js';
import type { Loss } from '../losses.js';
import type { Rootfs } from '../rootfs/node.js';
import type { ArchiveForm } from './archive/chunks.js';
import { hashing } from './archive/hash.js';
import { writeArchive } from './archive/stream.js';
import { inTurn, toDescriptor, toStandardOutput, type WriteBytes } from './archive/writer.js';
import { outputError } from './output-error.js';
import type { Artifact, Flattened, Sink, SinkOptions } from './sink.js';
import { stageFile } from './staging.js';

export interface ArchiveSinkOptions extends SinkOptions {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** gzip: 1 to 12; zstd: 1 to 19. Absent: the usual one. */
  readonly level?: number;
  /** Whether the artifact has a digest. Default true. */
  readonly digest?: boolean;
}

/** How a tree becomes an archive, and what the archive cannot hold of it. */
export interface ArchivePlan {
  readonly form: ArchiveForm;
  readonly losses: readonly Loss[];
}

/**
 * Writes the tree as one archive, in the order of `walk`: the same bytes for the same tree everywhere. `plan` is called once
 * before anything is written, and throws what the format cannot hold at all. `-` is standard output: when its reader goes away
 * the system's own error (`code` is `EPIPE`) is thrown.
 */
export function archiveSink(output: string, options: ArchiveSinkOptions, plan: Planner): Sink {
  return {
    write: (flattened, context) =>
      output === '-'
        ? toStdout(flattened, context, options, plan)
        : toFile(output, flattened, context, options, plan),
  };
}

type Planner = (flattened: Flattened) => ArchivePlan;

async function toStdout(
  flattened: Flattened,
  context: Context,
  options: ArchiveSinkOptions,
  plan: Planner,
): Promise<Artifact> {
  await flattened.verified;
  try {
    return await writeOne('-', flattened, toStandardOutput(context.signal), context, options, plan);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') throw error;
    throw outputError(error, '-');
  }
}

async function toFile(
  output: string,
  flattened: Flattened,
  context: Context,
  options: ArchiveSinkOptions,
  plan: Planner,
): Promise<Artifact> {
  // Its refusal is heard below, where it is awaited; until then it must not end the process.
  flattened.verified.catch(() => {});
  const staging = await stageFile(output, options);
  try {
    const artifact = await writeFile(staging.path, (write) =>
      writeOne(output, flattened, write, context, options, plan),
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

async function writeOne(
  output: string,
  flattened: Flattened,
  write: WriteBytes,
  context: Context,
  options: ArchiveSinkOptions,
  plan: Planner,
): Promise<Artifact> {
  const { rootfs, verified } = flattened;
  const { form, losses } = plan(flattened);
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
  await writeStream(rootfs, form, hash?.write ?? inTurn(put), context, options);
  const digest = await hash?.digest();
  return { output, entries: rootfs.entries, bytes, ...(digest && { digest }), losses };
}

async function writeStream(
  rootfs: Rootfs,
  form: ArchiveForm,
  emit: WriteBytes,
  context: Context,
  { compression, level }: ArchiveSinkOptions,
): Promise<void> {
  if (compression === 'none') return writeArchive(rootfs, form, emit, context);
  const { signal } = context;
  await using stream = compressor(compression, emit, { signal, ...(level !== undefined && { level }) });
  const put = inTurn((bytes) => stream.write(bytes));
  await writeArchive(rootfs, form, put, context);
  await stream.end();
}
