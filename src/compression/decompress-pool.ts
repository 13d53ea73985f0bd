import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';
import { Thread } from '../threads/thread.js';
import { Turnstile } from '../threads/turnstile.js';
import type { Job, JobResult } from './job.js';
import { perform } from './perform.js';

/** Layers that are decompressed at one time. A thread more costs memory and brings nothing where cores are busy. */
export const PARALLEL = Math.min(4, availableParallelism());

export interface RunOptions {
  /** Its abort stops the job's thread; the job then fails with `INTERRUPTED` once the thread has let go of the files. */
  readonly signal: AbortSignal;
  /** Told the stored bytes done so far. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * Stored bytes of the largest jobs that are done on the caller's thread: one of its own takes longer to start. Gzip is
 * inflated in the pool's threads in any case; zstd would keep the caller from all else, and a few bytes of it can be gigabytes.
 */
const SMALL = { none: 4 << 20, gzip: 4 << 20, zstd: 0 } as const;

/** A few threads that undo compression and digest, started when needed and used again; small jobs do without. */
export class DecompressPool {
  readonly #size: number;
  readonly #turnstile = new Turnstile().shared;
  readonly #idle: Thread<Job, JobResult, number>[] = [];
  readonly #waiting: (() => void)[] = [];
  #running = 0;
  #jobs = 0;
  #closed = false;
  #digesting: Promise<unknown> = Promise.resolve();
  #tellEnded = () => {};
  readonly #ended = new Promise<void>((resolve) => {
    this.#tellEnded = resolve;
  });

  constructor(size = PARALLEL) {
    this.#size = size;
  }

  /** Runs a job as soon as a thread is free, in the order of the calls. Fails with what the job fails with. */
  async run(job: Job, options: RunOptions): Promise<JobResult> {
    this.#jobs++;
    try {
      await this.#turn();
      return await (job.growth === undefined && job.input.length <= SMALL[job.compression]
        ? here(job, options)
        : this.#onThread(job, options));
    } finally {
      this.#jobs--;
      this.#next();
      this.#endIdle();
    }
  }

  /** Runs a job that nothing waits for yet: one of them at a time, so that they leave the cores to others. */
  runAside(job: Job, options: RunOptions): Promise<JobResult> {
    this.#jobs++;
    const result = this.#digesting.then(() => this.run(job, options));
    this.#digesting = result
      .catch(() => {})
      .then(() => {
        this.#jobs--;
        this.#endIdle();
      });
    return result;
  }

  /** Says that no more jobs come: the threads end when the jobs there are have been done. Resolves when they have ended. */
  close(): Promise<void> {
    this.#closed = true;
    this.#endIdle();
    return this.#ended;
  }

  async #turn(): Promise<void> {
    if (this.#running === this.#size) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#running++;
  }

  #next(): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#running--;
    else waiting();
  }

  #endIdle(): void {
    if (!this.#closed || this.#jobs > 0) return;
    void Promise.all(this.#idle.splice(0).map((thread) => thread.terminate())).then(this.#tellEnded);
  }

  async #onThread(job: Job, { signal, onProgress }: RunOptions): Promise<JobResult> {
    throwIfAborted(signal);
    const thread = this.#idle.pop() ?? new Thread(new URL('./decompress-worker.js', import.meta.url));
    thread.keepsAlive = true;
    const onAbort = () => void thread.terminate();
    signal.addEventListener('abort', onAbort);
    try {
      const ask = { ...job, turnstile: this.#turnstile };
      const result = await thread.ask(ask, onProgress && { onNews: onProgress });
      thread.keepsAlive = false;
      if (result.isHeavy) await thread.terminate();
      else this.#idle.push(thread);
      return result;
    } catch (error) {
      await thread.terminate();
      throwIfAborted(signal);
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** A turn of the event loop before each job: there may be a thousand of them, one after the other. */
async function here(job: Job, { signal, onProgress }: RunOptions): Promise<JobResult> {
  await setImmediate();
  const check = () => throwIfAborted(signal);
  check();
  return perform(job, onProgress ?? (() => {}), check);
}
