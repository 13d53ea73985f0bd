import { createHash, type Hash } from 'node:crypto';
import { FlattenError, ioError } from '../errors.js';
import { chunksOf } from '../host/bytes.js';
import type { Digest } from '../oci/digest.js';
import { GrowingFile } from '../threads/growing.js';
import { Turnstile } from '../threads/turnstile.js';
import { DecompressOutput } from './decompress-output.js';
import type { HashName, Job, JobResult } from './job.js';

/** Bytes read at a time. */
const CHUNK = 1 << 20;

/**
 * Does a job on this thread. `onRead` is told the stored bytes done so far, chunk by chunk; `check` is called before each
 * piece of output and stops the work by throwing. Throws FlattenErrors, and what is a bug.
 */
export async function perform(
  job: Job,
  onRead: (done: number) => void,
  check: () => void = () => {},
): Promise<JobResult> {
  try {
    return await performed(job, onRead, check);
  } catch (error) {
    throw asIoError(error);
  }
}

async function performed(job: Job, onRead: (done: number) => void, check: () => void): Promise<JobResult> {
  const output = job.output && new DecompressOutput(job.output);
  const stored = job.stored && createHash(job.stored);
  const uncompressed = job.uncompressed && createHash(job.uncompressed);
  let size = 0;
  const sink = (bytes: Uint8Array) => {
    check();
    output?.write(bytes);
    size += bytes.length;
    uncompressed?.update(bytes);
  };
  const isHeavy = await undo(job, watched(job, stored, onRead), sink);
  return {
    size,
    isHeavy,
    ...(stored && { stored: digestOf(job.stored!, stored) }),
    ...(uncompressed && { uncompressed: digestOf(job.uncompressed!, uncompressed) }),
  };
}

/** The stored bytes; they are digested and counted as they go by. */
function* watched(
  { input, growth }: Job,
  hash: Hash | undefined,
  onRead: (done: number) => void,
): Generator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(growth ? CHUNK : Math.min(CHUNK, Math.max(input.length, 1)));
  const chunks = growth ? new GrowingFile(growth).chunks(input.fd, buffer) : chunksOf(input, buffer);
  let done = 0;
  for (const chunk of chunks) {
    hash?.update(chunk);
    yield chunk;
    done += chunk.length;
    onRead(done);
  }
}

async function undo(
  { compression, turnstile }: Job,
  input: Iterable<Buffer>,
  sink: (bytes: Uint8Array) => void,
): Promise<boolean> {
  if (compression === 'gzip') await (await import('./gunzip.js')).gunzip(input, sink);
  if (compression === 'zstd') {
    const { unzstd } = await import('./unzstd.js');
    return unzstd(input, sink, new Turnstile(turnstile));
  }
  if (compression === 'none') for (const chunk of input) sink(chunk);
  return false;
}

function digestOf(name: HashName, hash: Hash): Digest {
  return `${name}:${hash.digest('hex')}`;
}

/** System errors in flatten's words. */
function asIoError(error: unknown): unknown {
  const isFromSystem = (error as NodeJS.ErrnoException).syscall !== undefined;
  return isFromSystem && !(error instanceof FlattenError) ? ioError(error, 'unpacking a layer') : error;
}
