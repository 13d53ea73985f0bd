import { fstatSync } from 'node:fs';
import { Readable } from 'node:stream';
import { BlobCache } from '../cache/cache.js';
import { pruneCache } from '../cache/prune.js';
import { CacheTrouble } from '../cache/trouble.js';
import type { Context } from '../context.js';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import type { InputBounds } from '../layer/input-bounds.js';
import { Meter } from '../meter.js';
import type { Digest } from '../oci/digest.js';
import { transfer } from '../web/transfer.js';
import { spool } from './spool.js';
import type { WebInput } from './transport.js';

/**
 * A file on the web as a file on this machine; the caller closes it. One with a digest comes by way of the cache, and must have that digest;
 * another one is decompressed while it arrives.
 */
export async function downloaded(input: WebInput, context: Context, bounds: InputBounds): Promise<ByteRange> {
  const { text, address } = input;
  if (address.digest !== undefined) return cached(input, address.digest, context, bounds);
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  let total: number | undefined;
  const chunks = transfer(address, 0, { ...context, signal }, (bytes) => {
    total = bytes;
  });
  const stream = Readable.from(chunks, { objectMode: false });
  stream.once('close', () => stop.abort()); // who reads it no more waits for the network no more
  return spool(stream, text, context, bounds, () => total);
}

async function cached(
  { text, address }: WebInput,
  digest: Digest,
  context: Context,
  bounds: InputBounds,
): Promise<ByteRange> {
  const { cache: { path, size } = {}, limits } = context;
  const cache = new BlobCache(path, context);
  const fetch = async ({ offset }: { readonly offset: number }) => {
    let total: number | undefined;
    const chunks = transfer(address, offset, context, (bytes) => {
      total = bytes;
    });
    return metered(chunks, { offset, total: () => total, most: limits.maxSize, text }, context);
  };
  const { fd } = await inWords(text, cache.open({ digest }, fetch));
  const { size: length } = fstatSync(fd);
  bounds.add(length);
  if (path !== undefined && size !== undefined) prune(path, size);
  return { fd, offset: 0, length };
}

interface Metering {
  readonly offset: number;
  readonly total: () => number | undefined;
  /** Bytes. */
  readonly most: number;
  readonly text: string;
}

/** Tells how far a transfer is, and ends one that has no end. */
async function* metered(
  chunks: AsyncIterable<Buffer>,
  { offset, total, most, text }: Metering,
  context: Context,
): AsyncGenerator<Buffer> {
  let meter: Meter | undefined;
  let at = offset;
  for await (const chunk of chunks) {
    meter ??= new Meter(context, 'open', total());
    at += chunk.length;
    if (at > most)
      throw new FlattenError('LIMIT', `${text}: has more than ${most} bytes`, {
        hint: '{maxSize} raises the limit',
      });
    meter.at(at);
    yield chunk;
  }
  meter?.end();
}

async function inWords<T>(text: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof FlattenError) || error.code !== 'DIGEST_MISMATCH') throw error;
    const { what, code, cause } = error;
    throw new FlattenError(code, `${text}: is not what its digest says: ${what}`, { cause });
  }
}

/** Not more than was asked for; a cache that cannot be pruned has been told of. */
function prune(path: string, size: number): void {
  try {
    pruneCache(path, size);
  } catch (error) {
    if (!(error instanceof CacheTrouble)) throw error;
  }
}
