import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { BlobWanted, FetchBlob } from '../../src/cache/arrive.js';
import { BlobCache } from '../../src/cache/cache.js';
import { readRange } from '../../src/host/bytes.js';
import { scratch } from '../support/scratch.js';

/** Bytes that no two calls give alike, and what a descriptor says of them. */
export function madeBlob(size: number): { bytes: Buffer; blob: BlobWanted & { readonly size: number } } {
  const bytes = randomBytes(size);
  return { bytes, blob: { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, size } };
}

/** Gives bytes out in chunks, and remembers from where on they were asked for. */
export function served(bytes: Buffer, chunk = 1 << 16): { fetch: FetchBlob; offsets: number[] } {
  const offsets: number[] = [];
  const fetch: FetchBlob = async ({ offset }) => {
    offsets.push(offset);
    return (async function* () {
      for (let at = offset; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
    })();
  };
  return { fetch, offsets };
}

/** A cache in a fresh directory, or in the one given, and the warnings of its run. */
export function cacheFor(t: TestContext, path = join(scratch(t), 'cache'), tmp = scratch(t)) {
  const warnings: string[] = [];
  const stop = new AbortController();
  const cache = new BlobCache(path, {
    signal: stop.signal,
    tmp,
    report: (event) => {
      if (event.type === 'warning') warnings.push(`${event.code}: ${event.message}`);
    },
  });
  return { cache, path, warnings, stop, tmp };
}

/** All bytes of an open file. */
export function bytesIn(fd: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; )
    done += readRange({ fd, offset: 0, length }, bytes.subarray(done), done);
  return bytes;
}
