import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import { FlattenError, ioError } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { Allowance } from './unpack-allowance.js';
import { chunksOf, writeAll } from './unpack-file.js';
import { failureOf, type HashName, type Job, type JobResult, type Message } from './unpack-job.js';

/** Stored bytes between two progress messages. */
const STEP = 8 << 20;

const buffer = Buffer.allocUnsafeSlow(1 << 20);

parentPort!.on('message', async (job: Job) => {
  try {
    tell({ type: 'done', result: await perform(job) });
  } catch (error) {
    tell({ type: 'failed', failure: failureOf(asFlattenError(error)) });
  }
});

async function perform(job: Job): Promise<JobResult> {
  const { output } = job;
  const allowance = output && new Allowance(output.allowance);
  const stored = job.stored && createHash(job.stored);
  const unpacked = job.unpacked && createHash(job.unpacked);
  let size = 0;
  const sink = (bytes: Uint8Array) => {
    allowance?.spend(bytes.length);
    if (output) writeAll(output.fd, bytes, size);
    size += bytes.length;
    unpacked?.update(bytes);
  };
  await decompress(job.compression, watched(job, stored), sink);
  return {
    size,
    ...(stored && { stored: digestOf(job.stored!, stored) }),
    ...(unpacked && { unpacked: digestOf(job.unpacked!, unpacked) }),
  };
}

/** The stored bytes; they are digested and counted as they go by. */
function* watched(job: Job, hash: Hash | undefined): Generator<Buffer> {
  let done = 0;
  let told = 0;
  for (const chunk of chunksOf(job.input, buffer)) {
    hash?.update(chunk);
    yield chunk;
    done += chunk.length;
    if (done - told < STEP) continue;
    tell({ type: 'progress', done });
    told = done;
  }
}

async function decompress(
  compression: Job['compression'],
  input: Iterable<Buffer>,
  sink: (bytes: Uint8Array) => void,
): Promise<void> {
  if (compression === 'gzip') return (await import('./unpack-gzip.js')).gunzip(input, sink);
  if (compression === 'zstd') return (await import('./unpack-zstd.js')).unzstd(input, sink);
  for (const chunk of input) sink(chunk);
}

function digestOf(name: HashName, hash: Hash): Digest {
  return `${name}:${hash.digest('hex')}`;
}

/** System errors in flatten's words. What is none is a bug and ends the thread. */
function asFlattenError(error: unknown): FlattenError {
  if (error instanceof FlattenError) return error;
  if ((error as NodeJS.ErrnoException).syscall !== undefined) return ioError(error, 'unpacking a layer');
  throw error;
}

function tell(message: Message): void {
  parentPort!.postMessage(message);
}
