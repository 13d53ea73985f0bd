import { Worker } from 'node:worker_threads';
import type { PackReply, PackRequest } from './pack-worker.js';

interface Awaiting {
  resolve(reply: PackReply): void;
  reject(error: unknown): void;
}

/** A thread that compresses blocks in the order they are sent. */
export class PackThread {
  readonly #worker = new Worker(new URL('./pack-worker.js', import.meta.url));
  readonly #awaiting: Awaiting[] = [];
  #failure: unknown;

  constructor() {
    this.#worker.on('message', (reply: PackReply) => this.#awaiting.shift()!.resolve(reply));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('the thread has ended')));
  }

  compress(request: PackRequest): Promise<PackReply> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) return reject(this.#failure);
      this.#awaiting.push({ resolve, reject });
      this.#worker.postMessage(request, [request.block]);
    });
  }

  /** Ends the thread; what it was asked for fails. */
  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: unknown): void {
    this.#failure ??= error;
    for (const { reject } of this.#awaiting.splice(0)) reject(this.#failure);
  }
}
