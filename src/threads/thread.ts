import { Worker } from 'node:worker_threads';
import { errorOf } from './failure.js';
import type { Reply, Request } from './serve.js';

/** What goes with a question. */
export interface AskOptions<News> {
  /** Buffers that are handed over, not copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Told what the thread tells of the work before its answer. */
  readonly onNews?: (news: News) => void;
}

interface Waiting<Answer, News> {
  readonly onNews: ((news: News) => void) | undefined;
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

/** A thread that runs a script which calls `serve`. It answers in the order in which it is asked. */
export class Thread<Ask, Answer, News = never> {
  readonly #worker: Worker;
  readonly #waiting: Waiting<Answer, News>[] = [];
  readonly #ended: Promise<void>;
  #failure: { readonly error: unknown } | undefined;

  constructor(script: URL) {
    this.#worker = new Worker(script);
    this.#worker.on('message', (reply: Reply<Answer, News>) => this.#take(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        // Without a word: nobody knows what it has done.
        this.#fail(new Error(`a thread ended with code ${code}`));
        resolve();
      });
    });
  }

  /** Fails with what the work fails with, and with an error where the thread ends before it has answered. */
  ask(ask: Ask, { transfer = [], onNews }: AskOptions<News> = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure.error);
      this.#waiting.push({ resolve, reject, onNews });
      const request: Request<Ask> = { ask };
      this.#worker.postMessage(request, transfer);
    });
  }

  /** Lets the thread finish what it was asked for, and resolves when it has ended. */
  async end(): Promise<void> {
    const request: Request<Ask> = 'end';
    this.#worker.postMessage(request);
    await this.#ended;
  }

  /** Ends the thread at once: what it was asked for fails. Not for one that calls the C library, see `libc`. */
  async terminate(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended;
  }

  /** Whether the thread keeps the program from ending. At first it does. */
  set keepsAlive(value: boolean) {
    if (value) this.#worker.ref();
    else this.#worker.unref();
  }

  #take(reply: Reply<Answer, News>): void {
    if ('news' in reply) this.#waiting[0]!.onNews?.(reply.news);
    else if ('answer' in reply) this.#waiting.shift()!.resolve(reply.answer);
    else this.#waiting.shift()!.reject(errorOf(reply.failure));
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure.error);
  }
}
