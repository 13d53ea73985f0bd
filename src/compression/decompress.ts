import { closeSync, fstatSync } from 'node:fs';
import type { Context } from '../context.js';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { chunksOf, readRange } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import type { Digest } from '../oci/digest.js';
import { Allowance } from '../threads/allowance.js';
import type { SharedGrowth } from '../threads/growing.js';
import { type Counts, sharedCounts } from './counts.js';
import { decompressByCommand } from './decompress-command.js';
import { DecompressPool } from './decompress-pool.js';
import type { HashName, Job, JobOutput, JobResult } from './job.js';
import { type Compression, compressionOf, MAGIC_LENGTH } from './magic.js';

/** What is wanted of {@link decompress} besides the bytes. */
export interface Wanted {
  /** Digest the bytes as stored. */
  readonly stored?: HashName | undefined;
  /** Digest the uncompressed bytes. */
  readonly uncompressed?: HashName | undefined;
  /** Told the stored bytes done so far. */
  readonly onProgress?: (done: number) => void;
  /** What the uncompressed bytes are drawn from. Default: one of the context's `maxSize`. */
  readonly allowances?: readonly Allowance[];
  /** Makes the error that is thrown of one, and of what there is of the uncompressed bytes, which goes then. */
  readonly explain?: (error: FlattenError, content: ByteRange) => FlattenError;
  /** What the members of the tar that it should be are drawn from; absent: it may be anything. */
  readonly counts?: Counts;
  /** The range is still being written, up to its length, and this says how far: for gzip and zstd. */
  readonly growth?: SharedGrowth;
  /** Default: a thread of its own. */
  readonly threads?: DecompressPool;
}

/** Uncompressed bytes in a temporary file without a name, which `close` gives back. */
export interface Decompressed {
  readonly range: ByteRange;
  readonly storedDigest?: Digest;
  readonly uncompressedDigest?: Digest;
  close(): void;
}

/** How the bytes of a range are compressed. */
export function compressionOfRange(range: ByteRange): Compression {
  const head = Buffer.alloc(MAGIC_LENGTH);
  return compressionOf(head.subarray(0, readRange(range, head, 0)));
}

/**
 * Undoes a range's compression, told by its first bytes, into a temporary file; in a thread, or in the system's `xz` or
 * `bzip2`. The range stays open, and is read to its end. Bytes that are not compressed are copied.
 *
 * Fails with `BAD_LAYER` where the data is cut short or corrupt, `LIMIT` where it comes to more than the allowance, `TOOL`
 * where a program is missing, `INTERRUPTED`; nothing stays then, and nothing runs on.
 */
export async function decompress(
  range: ByteRange,
  context: Context,
  wanted: Wanted = {},
): Promise<Decompressed> {
  const { threads = new DecompressPool(1), counts } = wanted;
  const { allowances = [new Allowance(context.limits.maxSize)] } = wanted;
  const compression = compressionOfRange(range);
  const output = unlinkedFile(context.tmp);
  const means = { ...wanted, threads, signal: context.signal };
  const sink = {
    fd: output,
    allowances: allowances.map(({ shared }) => shared),
    counts: counts && sharedCounts(counts),
  };
  try {
    const { size, stored, uncompressed } =
      compression === 'xz' || compression === 'bzip2'
        ? await withCommand(compression, range, sink, means)
        : await withThread(compression, range, sink, means);
    return {
      range: { fd: output, offset: 0, length: size },
      ...(stored && { storedDigest: stored }),
      ...(uncompressed && { uncompressedDigest: uncompressed }),
      close: onlyOnce(() => closeSync(output)),
    };
  } catch (error) {
    try {
      const content = { fd: output, offset: 0, length: fstatSync(output).size };
      throw error instanceof FlattenError ? (wanted.explain?.(error, content) ?? error) : error;
    } finally {
      closeSync(output);
    }
  } finally {
    if (wanted.threads === undefined) await threads.close();
  }
}

interface Means extends Wanted {
  readonly threads: DecompressPool;
  readonly signal: AbortSignal;
}

function withThread(
  compression: Job['compression'],
  input: ByteRange,
  output: JobOutput,
  { threads, stored, uncompressed, growth, ...options }: Means,
): Promise<JobResult> {
  return threads.run(
    { input, compression, output, stored, uncompressed, ...(growth && { growth }) },
    options,
  );
}

async function withCommand(
  program: 'xz' | 'bzip2',
  range: ByteRange,
  output: JobOutput,
  means: Means,
): Promise<JobResult> {
  const chunks = chunksOf(range, Buffer.allocUnsafe(1 << 20));
  const stored = await decompressByCommand(program, chunks, output, means);
  const { fd } = output;
  const { size } = fstatSync(fd);
  const { threads, uncompressed, signal } = means;
  if (uncompressed === undefined) return { size, stored };
  const input = { fd, offset: 0, length: size };
  return { ...(await threads.run({ input, compression: 'none', uncompressed }, { signal })), stored };
}

/** The same for callers that may close twice. */
function onlyOnce(act: () => void): () => void {
  let done = false;
  return () => {
    if (!done) {
      done = true;
      act();
    }
  };
}
