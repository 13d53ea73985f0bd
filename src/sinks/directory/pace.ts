import type { Context } from '../../context.js';
import { FlattenError } from '../../errors.js';
import { Meter } from '../../meter.js';
import { sharedFloat64, sharedUint32 } from '../../threads/shared.js';
import { Turn } from '../../threads/turn.js';

/**
 * Keeps a run in step with the outside: gives the event loop its turns, reports progress, and stops all threads when the
 * caller aborts or the image proves to be wrong.
 */
export class Pace {
  /** Not 0 once all threads are to stop; see {@link isStopped}. */
  readonly stop = sharedUint32(1);
  /** Content bytes written by each thread. */
  readonly written: Float64Array;
  readonly #turn = new Turn();
  readonly #context: Context;
  readonly #meter: Meter;
  readonly #halted: Promise<never>;
  #reason: unknown;
  #reject!: (reason: unknown) => void;
  readonly #onAbort = () => {
    const cause: unknown = this.#context.signal.reason;
    this.halt(new FlattenError('INTERRUPTED', 'interrupted', { cause }));
  };

  constructor(context: Context, verified: Promise<void>, total: number, threads: number) {
    this.#context = context;
    this.#meter = new Meter(context, 'write', total);
    this.written = sharedFloat64(threads);
    this.#halted = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.#halted.catch(() => {});
    verified.catch((error) => this.halt(error));
    context.signal.addEventListener('abort', this.#onAbort);
    if (context.signal.aborted) this.#onAbort();
  }

  halt(reason: unknown): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    Atomics.store(this.stop, 0, 1);
    this.#reject(reason);
  }

  due(): boolean {
    return this.#turn.due();
  }

  /** Gives the event loop a turn; throws why the run was halted, if it was. */
  async rest(): Promise<void> {
    await this.#turn.give();
    if (this.#reason !== undefined) throw this.#reason;
    this.report();
  }

  report(): void {
    const done = this.written.reduce((sum, bytes) => sum + bytes, 0);
    this.#meter.at(done);
  }

  /** The promise's outcome, or why the run was halted before. */
  async wait<T>(promise: Promise<T>): Promise<T> {
    const result = await Promise.race([promise, this.#halted]);
    if (this.#reason !== undefined) throw this.#reason;
    return result;
  }

  /** All is written. */
  done(): void {
    this.#meter.end();
  }

  /** Lets go of the caller's signal. */
  end(): void {
    this.#context.signal.removeEventListener('abort', this.#onAbort);
  }
}

export function isStopped(stop: Uint32Array): boolean {
  return Atomics.load(stop, 0) !== 0;
}
