import { parentPort } from 'node:worker_threads';
import { type ErrorCode, ioError } from '../../errors.js';
import type { Runs } from '../runs.js';
import { type Order, work } from './work.js';

/** What a worker is sent: the order, and its number among the threads. */
export interface Message {
  readonly order: Order;
  readonly me: number;
}

/** What it answers. An error loses its class between threads. */
export type Answer =
  | { readonly runs: Runs }
  | {
      readonly failure: {
        readonly code: ErrorCode;
        readonly what: string;
        readonly hint: string | undefined;
      };
    };

parentPort!.on('message', ({ order, me }: Message) => parentPort!.postMessage(answer(order, me)));

function answer(order: Order, me: number): Answer {
  try {
    const steps = work(order, me);
    let step = steps.next();
    while (!step.done) step = steps.next();
    return { runs: step.value };
  } catch (error) {
    const { code, what, hint } = ioError(error, 'content');
    return { failure: { code, what, hint } };
  }
}
