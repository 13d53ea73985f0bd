import { libc } from '../../host/libc.js';
import type { Loss } from '../../losses.js';
import { Losses } from '../../losses.js';
import { serve } from '../../threads/serve.js';
import { type FileJob, FileWriter } from './file-writer.js';
import { isStopped } from './pace.js';
import { type Shares, takeChunk } from './shares.js';
import { Clock } from './times.js';

/** What a worker is told, once. */
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

/** Answers with the losses, when its work is done or it was stopped. */
serve<Order, readonly Loss[]>({
  work({ job, shares, stop, written, me, strict, useLibc }) {
    const losses = new Losses({ strict });
    const writer = new FileWriter(job, new Clock(useLibc ? libc() : undefined), losses);
    try {
      for (let chunk = takeChunk(shares, me); chunk >= 0; chunk = takeChunk(shares, me)) {
        for (const bytes of writer.write(shares.starts[chunk]!, shares.starts[chunk + 1]!)) {
          written[me]! += bytes;
          if (isStopped(stop)) return [];
        }
      }
      return losses.list();
    } finally {
      writer.close();
    }
  },
});
