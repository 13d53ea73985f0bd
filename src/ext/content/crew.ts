import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { FlattenError, throwIfAborted } from '../../errors.js';
import type { Meter } from '../../meter.js';
import type { Runs } from '../runs.js';
import { type ContentRows, sharedUint32 } from './rows.js';
import { type Order, work } from './work.js';
import type { Answer, Message } from './worker.js';

/** Less than this a thread alone has read before another has started. */
const WORTH_A_THREAD = 32 * 2 ** 20;
const TURN_MS = 15;
const REPORT_MS = 100;

/** Work that the workers have begun. */
export interface Job {
  /**
   * Joins in until all is done, and tells the meter. Returns what each thread found. Throws the first failure, or `INTERRUPTED`; no thread is at
   * work any more then.
   */
  finish(meter: Meter): Promise<Runs[]>;
}

/** This thread and one more, which go through content together; the second starts once there is enough to do. */
export class ContentCrew {
  readonly #signal: AbortSignal;
  #worker: Worker | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  start(rows: ContentRows, task: Order['task']): Job {
    const done = new Float64Array(new SharedArrayBuffer(16));
    const order = { rows, next: sharedUint32(1), stop: sharedUint32(1), done, task };
    const answer = rows.bytes < WORTH_A_THREAD ? Promise.resolve([]) : this.#send(order);
    answer.catch(() => Atomics.store(order.stop, 0, 1));
    return { finish: (meter) => this.#finish(order, answer, meter) };
  }

  /** Ends the worker, at work or not. */
  async dismiss(): Promise<void> {
    await this.#worker?.terminate();
  }

  async #send(order: Order): Promise<Runs> {
    this.#worker ??= new Worker(new URL('./worker.js', import.meta.url));
    const message: Message = { order, me: 1 };
    this.#worker.postMessage(message);
    const ended = once(this.#worker, 'exit').then(([code]) => {
      throw new Error(`a thread ended with code ${code}`); // without a word: nobody knows what it has done
    });
    ended.catch(() => {});
    const [answer] = (await Promise.race([once(this.#worker, 'message'), ended])) as [Answer];
    if (!('failure' in answer)) return answer.runs;
    const { code, what, hint } = answer.failure;
    throw new FlattenError(code, what, hint === undefined ? {} : { hint });
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
