import { FlattenError, throwIfAborted } from '../errors.js';
import { type Digest, short } from '../oci/digest.js';
import type { Landing } from './landing.js';
import { digestOf, hashFile, hashFor } from './sums.js';

/** What a descriptor says of a blob. */
export interface BlobWanted {
  readonly digest: Digest;
  /** Bytes; absent where only the digest is known. */
  readonly size?: number;
}

/** Brings a blob's bytes from `offset` on. */
export type FetchBlob = (options: {
  readonly offset: number;
  readonly signal: AbortSignal;
}) => Promise<AsyncIterable<Uint8Array>>;

/**
 * Has a blob arrive: what is there already is hashed, the rest is fetched. A part that was no good is thrown away, and all of it
 * fetched. Throws `DIGEST_MISMATCH` where what has come is not the blob, and `IO` where it ends too soon.
 */
export async function arrive(
  blob: BlobWanted,
  landing: Landing,
  fetch: FetchBlob,
  signal: AbortSignal,
): Promise<void> {
  if (landing.length > (blob.size ?? Infinity)) landing.clear();
  const isPart = landing.length > 0;
  const found = await attempt(blob, landing, fetch, signal);
  if (found === blob.digest) return;
  if (isPart) {
    landing.clear();
    const again = await attempt(blob, landing, fetch, signal);
    if (again === blob.digest) return;
    throw mismatch(blob, again);
  }
  throw mismatch(blob, found);
}

async function attempt(
  { digest, size = Infinity }: BlobWanted,
  landing: Landing,
  fetch: FetchBlob,
  signal: AbortSignal,
): Promise<string> {
  const hash = hashFor(digest);
  await hashFile(hash, landing.fd, landing.length, signal);
  if (landing.length < size) {
    for await (const chunk of await fetch({ offset: landing.length, signal })) {
      throwIfAborted(signal);
      if (landing.length + chunk.length > size)
        throw new FlattenError('DIGEST_MISMATCH', `blob ${short(digest)}: has more than its ${size} bytes`);
      hash.update(chunk);
      await landing.add(chunk);
    }
  }
  throwIfAborted(signal);
  if (landing.length < size && size !== Infinity)
    throw new FlattenError('IO', `blob ${short(digest)}: ended after ${landing.length} of ${size} bytes`);
  return digestOf(hash, digest);
}

function mismatch({ digest }: BlobWanted, found: string): FlattenError {
  return new FlattenError('DIGEST_MISMATCH', `blob ${digest}: what was sent is ${found}`);
}
