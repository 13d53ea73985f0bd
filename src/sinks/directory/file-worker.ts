import { parentPort } from 'node:worker_threads';
import { FlattenError } from '../../errors.js';
import { libc } from '../../layer/libc.js';
import { Losses } from '../loss.js';
import type { Loss } from '../sink.js';
import { type Failure, packFailure } from './failure.js';
import { type FileJob, FileWriter } from './file-writer.js';
import { isStopped } from './pace.js';
import { type Shares, takeChunk } from './shares.js';
import { Clock } from './times.js';

/** What a worker is told, once; or nothing, when there is no work for it. Then it ends. */
export interface Order {
  readonly job: FileJob;
  readonly shares: Shares;
  readonly stop: Uint32Array;
  readonly written: Float64Array;
  /** Which of the threads this one is. */
  readonly me: number;
  readonly strict: boolean;
  readonly useLibc: boolean;
}

/** What it answers when its work is done or it was stopped. */
export type Answer = { readonly losses: readonly Loss[] } | { readonly failure: Failure };

parentPort!.once('message', (order: Order | undefined) => {
  if (order !== undefined) parentPort!.postMessage(work(order));
});

function work({ job, shares, stop, written, me, strict, useLibc }: Order): Answer {
  const losses = new Losses({ strict });
  const writer = new FileWriter(job, new Clock(useLibc ? libc() : undefined), losses);
  try {
    for (let chunk = takeChunk(shares, me); chunk >= 0; chunk = takeChunk(shares, me)) {
      for (const bytes of writer.write(shares.starts[chunk]!, shares.starts[chunk + 1]!)) {
        written[me]! += bytes;
        if (isStopped(stop)) return { losses: [] };
      }
    }
    return { losses: losses.list() };
  } catch (error) {
    if (error instanceof FlattenError) return { failure: packFailure(error) };
    throw error;
  } finally {
    writer.close();
  }
}
