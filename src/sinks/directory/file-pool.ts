import type { Libc } from '../../host/libc.js';
import type { Loss, Losses } from '../../losses.js';
import { Thread } from '../../threads/thread.js';
import { type FileTable, RUN } from './file-table.js';
import type { Order } from './file-worker.js';
import { type FileJob, FileWriter } from './file-writer.js';
import type { Pace } from './pace.js';
import { share, takeChunk } from './shares.js';
import { Clock } from './times.js';

/** What making a file costs, in bytes that could be written meanwhile. */
const FILE_COST = 48 * 1024;
const CHUNK_COST = 4 << 20;
const REPORT_MS = 100;

/** The threads that write files: this one, and workers that start up while this one makes directories. */
export class FilePool {
  readonly #workers: readonly Thread<Order, readonly Loss[]>[];
  #answers: readonly Promise<readonly Loss[]>[] = [];
  readonly #pace: Pace;

  /** One thread for each number in `pace.written`. */
  constructor(pace: Pace) {
    this.#pace = pace;
    const script = new URL('./file-worker.js', import.meta.url);
    this.#workers = Array.from({ length: pace.written.length - 1 }, () => new Thread(script));
  }

  /** Writes all files. Throws the first failure of any thread; the others may still be at work then. */
  async write(job: FileJob, libc: Libc | undefined, strict: boolean, losses: Losses): Promise<void> {
    const shares = share(job.files.length, costs(job.files), CHUNK_COST, this.#workers.length + 1);
    const pace = this.#pace;
    const { stop, written } = pace;
    const useLibc = libc !== undefined && job.files.nanos.some((nanos) => nanos !== 0);
    this.#answers = this.#workers.map((worker, i) =>
      worker.ask({ job, shares, stop, written, me: i + 1, strict, useLibc }),
    );
    for (const answer of this.#answers) answer.catch((error) => pace.halt(error));
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
  async close(): Promise<void> {
    Atomics.store(this.#pace.stop, 0, 1);
    await Promise.all(this.#workers.map((worker) => worker.end()));
  }

  async #finish(losses: Losses): Promise<void> {
    const timer = setInterval(() => this.#pace.report(), REPORT_MS);
    try {
      for (const answer of this.#answers) losses.merge(await this.#pace.wait(answer));
    } finally {
      clearInterval(timer);
    }
    this.#pace.report();
  }
}

function costs({ size, runs }: FileTable): (row: number) => number {
  return (row) =>
    FILE_COST +
    (runs.get(row)?.reduce((sum, value, i) => sum + (i % RUN === 1 ? value : 0), 0) ?? size[row]!);
}
