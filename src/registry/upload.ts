import type { Readable } from 'node:stream';
import { FlattenError, throwIfAborted } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { short } from '../oci/digest.js';
import type { Client, ClientAnswer, Onward } from './client.js';
import { brokenConnection, isTransient } from './connection-trouble.js';
import { passingTrouble } from './exchange.js';
import { Patience, PROGRESS, type Waiting } from './patience.js';
import { pushRefused } from './push-refusal.js';
import { readRefusal } from './refusal.js';

/** Milliseconds for the end of an upload that nobody wants any more: a run that was interrupted does not wait for long. */
const FAREWELL = 3000;

/** What is sent: bytes that can be read again, from any of them on. */
export interface Uploadable {
  readonly digest: Digest;
  readonly size: number;
  /** From a byte on to the end. */
  read(start: number): Readable;
}

/** What an upload works with. */
export interface UploadMeans {
  readonly client: Client;
  /** Of uploads to the repository: `/v2/NAME/blobs/uploads/`. */
  readonly path: string;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
  /** Who wants what, for errors. */
  readonly what: string;
  /** Whether the registry has the blob meanwhile: its answer may have been lost. */
  isThere(): Promise<boolean>;
}

/** An upload that has begun, and how many bytes of it the registry has. */
interface Begun extends Onward {
  readonly offset: number;
}

/** Why it does not go on as it was, and whether it must begin anew. */
interface Stop {
  readonly why: string;
  readonly cause?: unknown;
  readonly retryAfter?: string | undefined;
  readonly isLost: boolean;
}

/**
 * Sends a blob: POST begins an upload, PATCH sends the bytes, PUT names it by its digest (distribution specification, "pushing a blob in chunks"). One that is
 * cut goes on where the registry says that it stopped, or begins anew where the registry does not say. `begun` is the place of one that has begun. Whatever
 * ends it early ends it in the registry too.
 */
export async function upload(blob: Uploadable, means: UploadMeans, begun: Onward | undefined): Promise<void> {
  const { client, waiting, signal } = means;
  const patience = new Patience(client.host, waiting);
  let at: Begun | undefined = begun && { ...begun, offset: 0 };
  let furthest = 0;
  try {
    for (;;) {
      at ??= await begin(means);
      const next = at.offset < blob.size ? await send(blob, at, means) : await commit(blob, at, means);
      if (next === 'done') {
        at = undefined;
        return;
      }
      if ('offset' in next) {
        at = next;
        if (at.offset - furthest >= PROGRESS) patience.reset();
        furthest = Math.max(furthest, at.offset);
        continue;
      }
      if (patience.isOver) throw given(next, at, blob, means);
      await patience.wait(next.why, signal, next.retryAfter);
      const whole = at.offset === blob.size;
      const known: Begun | undefined = next.isLost ? undefined : await whereabouts(at, blob, means);
      if (known === undefined) await end(at, means);
      at = known;
      if (whole && (await means.isThere())) {
        at = undefined;
        return;
      }
    }
  } finally {
    if (at !== undefined) await end(at, means);
  }
}

/** Begins an upload. Throws why it may not be. */
export async function begin(means: Omit<UploadMeans, 'isThere' | 'waiting'>): Promise<Begun> {
  const { client, path, signal } = means;
  const answer = await client.ask(path, { method: 'POST', headers: EMPTY, signal });
  if (answer.status !== 202) throw await refusedBy(answer, means);
  answer.body.destroy();
  const place = await client.onward(answer, 'an upload');
  if (place !== undefined) return { ...place, offset: 0 };
  throw new FlattenError('NETWORK', `${client.host}: begins an upload, and does not say where`);
}

/** Ends an upload that nobody wants any more, so that the registry need not keep it. Whether that works is nobody's concern: registries forget old ones. */
export async function end(place: Onward, { client }: Pick<UploadMeans, 'client'>): Promise<void> {
  const signal = AbortSignal.timeout(FAREWELL);
  const asked = client.ask(place, { method: 'DELETE', isOnce: true, signal });
  await asked.then((answer) => answer.body.destroy()).catch(() => {});
}

const EMPTY = { 'content-length': '0' };
const BYTES = 'application/octet-stream';

/** Sends what the registry has not. */
async function send(blob: Uploadable, at: Begun, means: UploadMeans): Promise<Begun | Stop> {
  const { client, signal } = means;
  const { offset } = at;
  const { size } = blob;
  const headers = {
    'content-type': BYTES,
    'content-length': String(size - offset),
    ...(offset > 0 && { 'content-range': `${offset}-${size - 1}` }),
  };
  const answer = await attempt(at, signal, () =>
    client.ask(at, {
      method: 'PATCH',
      headers,
      body: () => blob.read(offset),
      isOnce: true,
      isSlow: true,
      signal,
    }),
  );
  if ('why' in answer) return answer;
  const { status } = answer;
  if (![200, 201, 202, 204].includes(status)) return stopOf(answer, means);
  answer.body.destroy();
  const place = (await client.onward(answer, 'an upload')) ?? at;
  const said = offsetIn(answer) ?? size;
  const has = said <= 1 ? size : said; // what says `0-0` says nothing
  // A registry may take less than it is sent, but neither nothing nor more.
  if (has > offset && has <= size) return { ...place, offset: has };
  return { why: 'lost count of an upload', isLost: true };
}

/** Names what the registry has by its digest. */
async function commit(blob: Uploadable, at: Begun, means: UploadMeans): Promise<'done' | Stop> {
  const { client, signal } = means;
  // What the registry has put into the address stays as it is, letter by letter.
  const url = new URL(at.url);
  url.search += `${url.search === '' ? '?' : '&'}digest=${encodeURIComponent(blob.digest)}`;
  const place = { url, isAway: at.isAway };
  const answer = await attempt(place, signal, () =>
    client.ask(place, { method: 'PUT', headers: EMPTY, isOnce: true, isSlow: true, signal }),
  );
  if ('why' in answer) return answer;
  if (![200, 201, 202, 204].includes(answer.status)) return stopOf(answer, means);
  answer.body.destroy();
  return 'done';
}

/** The answer, or that there was none for now. */
async function attempt(
  { url }: Onward,
  signal: AbortSignal,
  ask: () => Promise<ClientAnswer>,
): Promise<ClientAnswer | Stop> {
  try {
    return await ask();
  } catch (cause) {
    throwIfAborted(signal);
    if (cause instanceof FlattenError) throw cause;
    if (!isTransient(cause)) throw brokenConnection(url, cause);
    return { why: 'the connection was cut', cause, isLost: false };
  }
}

/** What registries call bytes that have come otherwise than they were sent; they may come right the next time. */
const MANGLED = /^(DIGEST_INVALID|SIZE_INVALID|RANGE_INVALID|BLOB_UPLOAD_(INVALID|UNKNOWN))$/;

/** Why a request was refused, where that is no end. */
async function stopOf(answer: ClientAnswer, means: UploadMeans): Promise<Stop> {
  const passing = passingTrouble(answer);
  if (passing !== undefined) {
    answer.body.destroy();
    return { why: passing.what, retryAfter: passing.retryAfter, isLost: false };
  }
  if (answer.status === 416) {
    answer.body.destroy();
    return { why: 'lost count of an upload', isLost: false };
  }
  if (![400, 404].includes(answer.status)) throw await refusedBy(answer, means);
  const refusal = await readRefusal(answer);
  if (answer.status === 404 || MANGLED.test(refusal.code))
    return { why: answer.status === 404 ? 'has lost an upload' : 'did not get what was sent', isLost: true };
  throw await refusedBy(answer, means);
}

/** How much of an upload the registry has, by its own word; undefined where it has none of it, or does not say. */
async function whereabouts(
  at: Begun,
  { size }: Uploadable,
  { client, signal }: UploadMeans,
): Promise<Begun | undefined> {
  const answer = await client.ask(at, { signal });
  answer.body.destroy();
  const offset = offsetIn(answer);
  // `0-0` is one byte to some registries and none to others.
  if (![200, 202, 204].includes(answer.status) || offset === undefined || offset <= 1 || offset > size)
    return undefined;
  return { ...((await client.onward(answer, 'an upload')) ?? at), offset };
}

/** How many bytes a registry says that it has. */
function offsetIn({ headers }: ClientAnswer): number | undefined {
  const { range } = headers;
  const [, last] = /^(?:bytes[ =])?0-(\d{1,15})$/.exec(typeof range === 'string' ? range : '') ?? [];
  return last === undefined ? undefined : Number(last) + 1;
}

function given(
  { why, cause }: Stop,
  { url }: Onward,
  { digest }: Uploadable,
  { client }: UploadMeans,
): FlattenError {
  if (cause !== undefined) return brokenConnection(url, cause);
  return new FlattenError('NETWORK', `${client.host}: ${why}, and blob ${short(digest)} could not be sent`, {
    hint: 'try again later; what the registry has is not sent again',
  });
}

function refusedBy(answer: ClientAnswer, { what, client }: Pick<UploadMeans, 'what' | 'client'>) {
  const { host, credential } = client;
  return pushRefused(answer, { host, what, credential });
}
