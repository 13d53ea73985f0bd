import { setTimeout } from 'node:timers/promises';
import type { Context } from '../context.js';
import { FlattenError, throwIfAborted } from '../errors.js';
import type { WebAddress } from './address.js';
import { isPassing, networkError, statusError } from './failure.js';
import { type Answer, WebFile } from './request.js';

/** What a transfer needs of a run. */
export type TransferContext = Pick<Context, 'signal' | 'report'>;

/** So many tries in a row bring nothing, and it is given up. */
const TRIES = 5;
const FIRST_PAUSE_MS = 500;
/** The longest that a server may have us wait. */
const LONGEST_PAUSE_S = 300;
/** Answers after which it is worth another try. */
const AGAIN = new Set([408, 425, 429, 500, 502, 503, 504]);

/**
 * The bytes of a file on the web from `offset` on. A transfer that is cut goes on where it stopped, if the server says that the file is
 * still the same, or its digest will show it. `onSize` hears how many bytes the file has, where the server says so. Throws `IO` and `NOT_FOUND`.
 */
export async function* transfer(
  address: WebAddress,
  offset: number,
  { signal, report }: TransferContext,
  onSize: (bytes: number) => void = () => {},
): AsyncGenerator<Buffer> {
  const file = new WebFile(address);
  const state: State = { at: offset, total: undefined, validator: undefined };
  let fruitless = 0;
  try {
    for (;;) {
      const before = state.at;
      let cut: Cut;
      try {
        const answer = await file.get(headersFor(state), signal);
        cut = await taken(answer, address, state, onSize);
        if (cut.body) {
          for await (const chunk of cut.body) yield chunk;
          if (state.total === undefined || state.at >= state.total) return;
          cut = { why: 'the transfer was cut' };
        } else if (cut.why === undefined) return;
      } catch (error) {
        throwIfAborted(signal);
        if (error instanceof FlattenError) throw error;
        if (!isPassing(error, state.at > offset)) throw networkError(address.shown, error);
        cut = { why: networkError('', error).message.slice(2), error };
      }
      fruitless = state.at > before ? 0 : fruitless + 1;
      if (fruitless >= TRIES) throw networkError(address.shown, cut.error ?? new Error(cut.why));
      refuseOther(address, state);
      await pause(address, cut, fruitless, { signal, report });
    }
  } finally {
    await file.close();
  }
}

interface State {
  /** The byte that is wanted next. */
  at: number;
  total: number | undefined;
  /** Of the file as it was when the first bytes came. */
  validator: string | undefined;
}

/** Why nothing more comes, or the rest of the body; neither where nothing is left. */
interface Cut {
  readonly body?: AsyncIterable<Buffer>;
  readonly why?: string;
  readonly error?: unknown;
  /** Seconds that the server asks for. */
  readonly after?: number;
}

function headersFor({ at, validator }: State): Record<string, string> {
  if (at === 0) return {};
  return { range: `bytes=${at}-`, ...(validator && { 'if-range': validator }) };
}

/** What an answer brings. */
async function taken(
  answer: Answer,
  address: WebAddress,
  state: State,
  onSize: (bytes: number) => void,
): Promise<Cut> {
  const { statusCode: status, headers } = answer;
  if (status === 200 || status === 206) {
    const { start, total } = placeOf(answer, address, state);
    const known = state.total === undefined;
    state.total ??= total;
    if (known && total !== undefined) onSize(total);
    const validator = validatorOf(answer);
    if (state.validator === undefined) state.validator = validator;
    return { body: from(answer, start, address, state) };
  }
  await answer.body.dump({ limit: 64 * 1024 }).catch(() => {});
  // There is nothing behind the end.
  if (status === 416 && state.at > 0 && totalIn(headers['content-range']) === state.at) return {};
  if (!AGAIN.has(status)) throw statusError(address.shown, status);
  const error = statusError(address.shown, status);
  return { why: `the server answers ${status}`, error, ...secondsIn(headers['retry-after']) };
}

/** Where an answer's body begins in the file, and how long the file is. Throws where that is not what was asked for, or another file. */
function placeOf({ statusCode, headers }: Answer, address: WebAddress, state: State) {
  let [start, total]: [number, number | undefined] = [0, lengthIn(headers['content-length'])];
  if (statusCode === 206) {
    const [, first, last, whole] =
      /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(String(headers['content-range'])) ?? [];
    const size = whole === '*' ? undefined : Number(whole);
    if (Number(first) !== state.at || (size !== undefined && Number(last) >= size))
      throw new FlattenError('IO', `${address.shown}: the server sends other bytes than were asked for`);
    [start, total] = [state.at, size];
  }
  const isOther =
    (state.total !== undefined && total !== undefined && total !== state.total) ||
    (state.validator !== undefined && validatorOf({ headers }) !== state.validator);
  if (isOther) throw changed(address);
  return { start, total };
}

/** The body, from the byte that is wanted on: a server that knows no ranges sends all again. */
async function* from(
  { body }: Answer,
  start: number,
  address: WebAddress,
  state: State,
): AsyncGenerator<Buffer> {
  let position = start;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    const wanted = chunk.subarray(Math.min(chunk.length, Math.max(0, state.at - position)));
    position += chunk.length;
    if (state.total !== undefined && position > state.total)
      throw new FlattenError('IO', `${address.shown}: the server sends more than the file has`);
    if (wanted.length === 0) continue;
    state.at += wanted.length;
    yield wanted;
  }
}

/** Nothing shows whether a file that has neither a digest nor a validator is still the same. */
function refuseOther(address: WebAddress, { at, validator }: State): void {
  if (at === 0 || validator !== undefined || address.digest !== undefined) return;
  throw new FlattenError(
    'IO',
    `${address.shown}: the transfer was cut, and the server does not say how to go on`,
    {
      hint: `say which file it is: ${address.shown}#sha256:DIGEST`,
    },
  );
}

async function pause(
  { shown }: WebAddress,
  { why, after }: Cut,
  fruitless: number,
  { signal, report }: TransferContext,
): Promise<void> {
  const jittered = FIRST_PAUSE_MS * 2 ** fruitless * (0.5 + Math.random());
  const ms = after === undefined ? jittered : after * 1000;
  const message = `${shown}: ${why}; trying again in ${(ms / 1000).toFixed(after === undefined ? 1 : 0)} s`;
  report({ type: 'warning', code: 'RETRY', message });
  await setTimeout(ms, undefined, { signal }).catch(() => throwIfAborted(signal));
}

/** What tells one state of a file from another: a strong ETag, else its time. Source: RFC 9110, 13.1.5. */
function validatorOf({ headers }: Pick<Answer, 'headers'>): string | undefined {
  const { etag, 'last-modified': time } = headers;
  if (typeof etag === 'string' && etag.startsWith('"')) return etag;
  return typeof time === 'string' ? time : undefined;
}

function changed({ shown }: WebAddress): FlattenError {
  return new FlattenError('IO', `${shown}: has changed while it was read`, { hint: 'run it again' });
}

function lengthIn(header: unknown): number | undefined {
  return /^\d{1,15}$/.test(String(header)) ? Number(header) : undefined;
}

function totalIn(header: unknown): number | undefined {
  return lengthIn(/^bytes \*\/(\d+)$/.exec(String(header))?.[1]);
}

/** Seconds, or a date. Source: RFC 9110, 10.2.3. */
function secondsIn(header: unknown): { after?: number } {
  if (typeof header !== 'string') return {};
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? { after: Math.min(Math.max(0, seconds), LONGEST_PAUSE_S) } : {};
}
