import type { Readable } from 'node:stream';
import { FlattenError, throwIfAborted } from '../errors.js';
import { brokenConnection, isTransient } from './connection-trouble.js';
import type { Connections } from './connections.js';
import { Patience, type Waiting } from './patience.js';
import type { Reach } from './reach.js';

/** One question to a server. */
export interface Question {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** A function gives a stream, for each try a new one; then a header says its length. */
  readonly body?: string | Buffer | (() => Readable);
  readonly signal: AbortSignal;
  /** Limits the addresses of a server that is not the registry. */
  readonly reach?: Reach;
  /** Fail with what the connection fails with, and ask once only. */
  readonly isOnce?: boolean;
  /** The server may take minutes to answer: it stores what it is sent. */
  readonly isSlow?: boolean;
}

/** What a server answers. The body must be read to its end, or destroyed. */
export interface Answer {
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Readable;
}

/** Answers that may be another one a little later (RFC 9110; 499 and 522 are nginx's and Cloudflare's words for a cut connection). */
const PASSING = new Set([408, 429, 499, 500, 502, 503, 504, 522]);

/** Milliseconds until a slow answer begins, once all was sent. */
const SLOW_TIMEOUT = 15 * 60_000;

/** Says that flatten asks, and no browser. */
const USER_AGENT = 'flatten (image-flatten)';

/**
 * Asks a server, again where it is busy or a connection is cut before the answer begins, as often as {@link Patience} has it; the last
 * answer counts, whatever it is. Throws `NETWORK` where there is none. Redirects are answers.
 */
export async function exchange(
  question: Question,
  connections: Connections,
  waiting: Waiting,
): Promise<Answer> {
  const patience = new Patience(question.url.host, waiting);
  for (;;) {
    try {
      const answer = await ask(question, connections);
      const passing = passingTrouble(answer);
      if (passing === undefined || question.isOnce || patience.isOver) return answer;
      answer.body.destroy();
      await patience.wait(passing.what, question.signal, passing.retryAfter);
    } catch (error) {
      throwIfAborted(question.signal);
      if (error instanceof FlattenError || question.isOnce) throw error;
      if (!isTransient(error) || patience.isOver) throw brokenConnection(question.url, error);
      await patience.wait('the connection was cut', question.signal);
    }
  }
}

/** Why another answer may come a little later, and when; undefined where this one is for good. */
export function passingTrouble({ status, headers }: Pick<Answer, 'status' | 'headers'>) {
  if (!PASSING.has(status)) return undefined;
  const { 'retry-after': retryAfter } = headers;
  const what = status === 429 ? 'rate limited' : `answers ${status}`;
  return { what, retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined };
}

async function ask(
  { method, url, headers, body, signal, reach, isSlow }: Question,
  connections: Connections,
): Promise<Answer> {
  throwIfAborted(signal);
  const asked = await connections.to(url, reach).request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method,
    headers: { 'user-agent': USER_AGENT, ...headers },
    signal,
    ...(body !== undefined && { body: typeof body === 'function' ? body() : body }),
    ...(isSlow && { headersTimeout: SLOW_TIMEOUT }),
  });
  asked.body.on('error', () => {}); // whoever reads it is told; nobody has to
  return { url, status: asked.statusCode, headers: asked.headers, body: asked.body };
}
