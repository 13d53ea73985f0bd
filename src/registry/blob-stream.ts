import { FlattenError, throwIfAborted } from '../errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { short } from '../oci/digest.js';
import { brokenConnection, isTransient } from './connection-trouble.js';
import type { Answer } from './exchange.js';
import { Patience, PROGRESS, type Waiting } from './patience.js';

/** A part of a blob: from `start` up to `end`, which is not in it. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** What the bytes of a blob come from. */
export interface BlobSource {
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>;
  /** Asks for the bytes of a part; whatever is not the blob is thrown. */
  ask(part: Part, signal: AbortSignal): Promise<Answer>;
  readonly waiting: Waiting;
  readonly signal: AbortSignal;
}

/**
 * Yields the bytes of a part of a blob, from an answer that has begun, and goes on where it stopped when the connection is cut. An answer
 * without ranges gives the whole blob again: what is known of it is passed over, never taken twice. More or fewer bytes than the descriptor says are `DIGEST_MISMATCH`.
 */
export async function* blobBytes(first: Answer, part: Part, source: BlobSource): AsyncGenerator<Buffer> {
  const { waiting, signal } = source;
  const patience = new Patience(first.url.host, waiting);
  let at = part.start;
  let progress = at;
  for (let next = first; ; ) {
    const answer = next;
    try {
      for await (const chunk of bytesOf(answer, { start: at, end: part.end }, source)) {
        at += chunk.length;
        yield chunk;
      }
      if (at === part.end) return;
      throw Object.assign(new Error('the answer ended early'), { code: 'ECONNRESET' });
    } catch (error) {
      throwIfAborted(signal);
      if (error instanceof FlattenError) throw error;
      if (at - progress >= PROGRESS) patience.reset();
      progress = at;
      if (!isTransient(error) || patience.isOver) throw brokenConnection(answer.url, error);
      await patience.wait('the connection was cut', signal);
      next = await source.ask({ start: at, end: part.end }, signal);
    } finally {
      answer.body.destroy();
    }
  }
}

/** The bytes of one answer that belong to the part. */
async function* bytesOf(answer: Answer, part: Part, { descriptor }: BlobSource): AsyncGenerator<Buffer> {
  const begins = answer.status === 206 ? rangeOf(answer, part, descriptor) : 0;
  const whole = answer.status === 206 ? part.end : descriptor.size;
  checkLength(answer, whole - begins, descriptor);
  let at = begins;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    if (at + chunk.length > whole) throw wrong(descriptor, 'sends more bytes than it should');
    const wanted = chunk.subarray(Math.max(0, part.start - at), Math.max(0, part.end - at));
    at += chunk.length;
    if (wanted.length > 0) yield wanted;
    if (at >= part.end && part.end < whole) return;
  }
}

/** Where a partial answer begins: it must be where it was asked to, and of a blob of this size (RFC 9110, section 14.4). */
function rangeOf({ headers }: Answer, { start, end }: Part, descriptor: BlobSource['descriptor']): number {
  const said = headers['content-range'];
  const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(typeof said === 'string' ? said : '') ?? [];
  const isRight =
    Number(from) === start && Number(to) === end - 1 && (size === '*' || Number(size) === descriptor.size);
  if (!isRight) throw wrong(descriptor, 'sends another range than it was asked for');
  return start;
}

function checkLength({ headers }: Answer, expected: number, descriptor: BlobSource['descriptor']): void {
  const said = headers['content-length'];
  if (typeof said !== 'string' || Number(said) === expected) return;
  throw wrong(descriptor, `has ${Number(said)} bytes here, and its descriptor says ${expected}`);
}

function wrong({ digest }: BlobSource['descriptor'], what: string): FlattenError {
  return new FlattenError('DIGEST_MISMATCH', `blob ${short(digest)}: the registry ${what}`);
}
