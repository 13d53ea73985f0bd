import { parentPort } from 'node:worker_threads';
import { FlattenError } from '../errors.js';
import { type Failure, failureOf } from './failure.js';

/** What a thread is sent: something to do, or that nothing more comes. */
export type Request<Ask> = { readonly ask: Ask } | 'end';

/** What it sends: news of work that goes on, or how the work ended. */
export type Reply<Answer, News> =
  | { readonly news: News }
  | { readonly answer: Answer }
  | { readonly failure: Failure };

/** How a thread does what it is asked for. */
export interface Service<Ask, Answer, News> {
  /** Does the work. A {@link FlattenError} that it throws goes to who asked; anything else is a bug, and ends the thread. */
  work(ask: Ask, tell: (news: News) => void): Answer | Promise<Answer>;
  /** Buffers of an answer that are handed over, not copied. */
  transfer?(answer: Answer): readonly ArrayBuffer[];
}

/** Answers what a `Thread` asks, one thing after the other. To be called once, by the script that the thread runs. */
export function serve<Ask, Answer, News = never>(service: Service<Ask, Answer, News>): void {
  const port = parentPort!;
  const reply = (message: Reply<Answer, News>, transfer: readonly ArrayBuffer[] = []) =>
    port.postMessage(message, transfer);
  let turn: Promise<void> = Promise.resolve();
  port.on('message', (request: Request<Ask>) => {
    turn = turn.then(async () => {
      if (request === 'end') return port.close();
      try {
        const answer = await service.work(request.ask, (news) => reply({ news }));
        reply({ answer }, service.transfer?.(answer));
      } catch (error) {
        if (!(error instanceof FlattenError)) throw error;
        reply({ failure: failureOf(error) });
      }
    });
  });
}
