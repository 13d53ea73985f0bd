import { Worker } from 'node:worker_threads';
import type { Libc } from '../../layer/libc.js';
import type { Losses } from '../loss.js';
import type { Loss } from '../sink.js';
import { unpackFailure } from './failure.js';
import { type FileTable, RUN } from './file-table.js';
import type { Answer, Order } from './file-worker.js';
import { type FileJob, FileWriter } from './file-writer.js';
import type { Pace } from './pace.js';
import { share, takeChunk } from './shares.js';
import { Clock } from './times.js';

/** What making a file costs, in bytes that could be written meanwhile. */
const FILE_COST = 48 * 1024;
const CHUNK_COST = 4 << 20;
const REPORT_MS = 100;

interface Mate {
  readonly worker: Worker;
  readonly answer: Promise<readonly Loss[]>;
  readonly exit: Promise<void>;
}

/** The threads that write files: this one, and workers that start up while this one makes directories. */
export class Crew {
  readonly #mates: readonly Mate[];
  readonly #pace: Pace;
  #isAtWork = false;

  /** One thread for each number in `pace.written`. */
  constructor(pace: Pace) {
    this.#pace = pace;
    this.#mates = Array.from({ length: pace.written.length - 1 }, hire);
  }

  /** Writes all files. Throws the first failure of any thread; the others may still be at work then. */
  async write(job: FileJob, libc: Libc | undefined, strict: boolean, losses: Losses): Promise<void> {
    const shares = share(job.files.length, costs(job.files), CHUNK_COST, this.#mates.length + 1);
    const pace = this.#pace;
    const { stop, written } = pace;
    const useLibc = libc !== undefined && job.files.nanos.some((nanos) => nanos !== 0);
    this.#isAtWork = true;
    for (const [i, { worker, answer }] of this.#mates.entries()) {
      answer.catch((error) => pace.halt(error));
      const order: Order = { job, shares, stop, written, me: i + 1, strict, useLibc };
      worker.postMessage(order);
    }
    const writer = new FileWriter(job, new Clock(libc), losses);
    try {
      for (let chunk = takeChunk(shares, 0); chunk >= 0; chunk = takeChunk(shares, 0)) {
        for (const bytes of writer.write(shares.starts[chunk]!, shares.starts[chunk + 1]!)) {
          written[0]! += bytes;
          if (pace.due()) await pace.rest();
        }
      }
    } finally {
      writer.close();
    }
    await this.#finish(losses);
  }

  /**
   * Ends the workers, at work or not; nothing is written after it resolves. They are asked, not terminated: a thread that
   * is terminated within koffi takes the whole program down.
   */
  async dismiss(): Promise<void> {
    Atomics.store(this.#pace.stop, 0, 1);
    if (!this.#isAtWork) for (const { worker } of this.#mates) worker.postMessage(undefined);
    await Promise.all(this.#mates.map(({ exit }) => exit));
  }

  async #finish(losses: Losses): Promise<void> {
    const timer = setInterval(() => this.#pace.report(), REPORT_MS);
    try {
      for (const { answer } of this.#mates) losses.merge(await this.#pace.wait(answer));
    } finally {
      clearInterval(timer);
    }
    this.#pace.report();
  }
}

function hire(): Mate {
  const worker = new Worker(new URL('./file-worker.js', import.meta.url));
  const answer = new Promise<readonly Loss[]>((resolve, reject) => {
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`a worker ended early, with code ${code}`)));
    worker.once('message', (message: Answer) => {
      if ('failure' in message) reject(unpackFailure(message.failure));
      else resolve(message.losses);
    });
  });
  answer.catch(() => {}); // until it is waited for
  const exit = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  return { worker, answer, exit };
}

function costs({ size, runs }: FileTable): (row: number) => number {
  return (row) =>
    FILE_COST +
    (runs.get(row)?.reduce((sum, value, i) => sum + (i % RUN === 1 ? value : 0), 0) ?? size[row]!);
}
