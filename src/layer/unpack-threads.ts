import { availableParallelism } from 'node:os';
import { setImmediate } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { throwIfAborted } from '../errors.js';
import { Turnstile } from './turnstile.js';
import { errorOf, type Job, type JobResult, type Message } from './unpack-job.js';
import { perform } from './unpack-perform.js';

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
export class UnpackThreads {
  readonly #size: number;
  readonly #turnstile = new Turnstile().shared;
  readonly #idle: Worker[] = [];
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
    void Promise.all(this.#idle.splice(0).map((worker) => worker.terminate())).then(this.#tellEnded);
  }

  async #onThread(job: Job, { signal, onProgress }: RunOptions): Promise<JobResult> {
    throwIfAborted(signal);
    const worker = this.#idle.pop() ?? new Worker(new URL('./unpack-worker.js', import.meta.url));
    worker.ref();
    try {
      const result = await answer(worker, { ...job, turnstile: this.#turnstile }, signal, onProgress);
      worker.unref();
      if (result.isHeavy) await worker.terminate();
      else this.#idle.push(worker);
      return result;
    } catch (error) {
      await worker.terminate();
      throwIfAborted(signal);
      throw error;
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

function answer(
  worker: Worker,
  job: Job,
  signal: AbortSignal,
  onProgress: RunOptions['onProgress'],
): Promise<JobResult> {
  return new Promise<JobResult>((resolve, reject) => {
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', onAbort);
      worker.off('message', onMessage).off('error', onError).off('exit', onExit);
      act();
    };
    const onAbort = () => settle(() => reject(signal.reason));
    const onError = (error: Error) => settle(() => reject(error));
    const onExit = (code: number) => onError(new Error(`a thread ended with code ${code}`));
    const onMessage = (message: Message) => {
      if (message.type === 'progress') onProgress?.(message.done);
      else if (message.type === 'done') settle(() => resolve(message.result));
      else settle(() => reject(errorOf(message.failure)));
    };
    signal.addEventListener('abort', onAbort);
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    worker.postMessage(job);
  });
}
