import { setImmediate as turn } from 'node:timers/promises';
import { throwIfAborted } from '../../errors.js';
import type { Meter } from '../../meter.js';
import { sharedFloat64, sharedUint32 } from '../../threads/shared.js';
import { Thread } from '../../threads/thread.js';
import type { Runs } from '../runs.js';
import type { ContentRows } from './rows.js';
import { type Order, work } from './work.js';

/** Less than this a thread alone has read before another has started. */
const WORTH_A_THREAD = 32 * 2 ** 20;
const TURN_MS = 15;
const REPORT_MS = 100;

/** Work that threads have begun. */
export interface Job {
  /**
   * Joins in until all is done, and tells the meter. Returns what each thread found. Throws the first failure, or `INTERRUPTED`; no thread is at
   * work any more then.
   */
  finish(meter: Meter): Promise<Runs[]>;
}

/** This thread and one more, which go through content together; the second starts once there is enough to do. */
export class ContentPool {
  readonly #signal: AbortSignal;
  #thread: Thread<Order, Runs> | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  start(rows: ContentRows, task: Order['task']): Job {
    const done = sharedFloat64(2);
    const order = { rows, next: sharedUint32(1), stop: sharedUint32(1), done, task };
    const answer = rows.bytes < WORTH_A_THREAD ? Promise.resolve([]) : this.#send(order);
    answer.catch(() => Atomics.store(order.stop, 0, 1));
    return { finish: (meter) => this.#finish(order, answer, meter) };
  }

  /** Ends the other thread, at work or not. */
  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #send(order: Order): Promise<Runs> {
    this.#thread ??= new Thread(new URL('./worker.js', import.meta.url));
    return this.#thread.ask(order);
  }

  async #finish(order: Order, answer: Promise<Runs>, meter: Meter): Promise<Runs[]> {
    const report = () => meter.at(order.done[0]! + order.done[1]!);
    const stop = () => Atomics.store(order.stop, 0, 1);
    this.#signal.addEventListener('abort', stop);
    const timer = setInterval(report, REPORT_MS);
    try {
      const own = await this.#join(order, report);
      const other = await answer;
      throwIfAborted(this.#signal);
      meter.end();
      return [own, other];
    } catch (error) {
      stop();
      await answer;
      throw error;
    } finally {
      clearInterval(timer);
      this.#signal.removeEventListener('abort', stop);
    }
  }

  async #join(order: Order, report: () => void): Promise<Runs> {
    const steps = work(order, 0);
    let last = performance.now();
    for (let step = steps.next(); ; step = steps.next()) {
      if (step.done) return step.value;
      report();
      if (performance.now() - last < TURN_MS) continue;
      await turn();
      throwIfAborted(this.#signal);
      last = performance.now();
    }
  }
}
