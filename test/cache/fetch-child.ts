/** Opens one blob of a cache by way of an http server, and prints its digest: `fetch-child.js CACHE TMP URL DIGEST SIZE`. */
import { createHash } from 'node:crypto';
import { get, type IncomingMessage } from 'node:http';
import { BlobCache } from '../../src/cache/cache.js';
import type { Digest } from '../../src/oci/digest.js';
import { bytesIn } from './served.js';

const [path, tmp, url, digest, size] = process.argv.slice(2) as [string, string, string, Digest, string];
const cache = new BlobCache(path, {
  signal: new AbortController().signal,
  tmp,
  report: (event) => console.error(event),
});
const blob = { digest, size: Number(size) };
const { fd } = await cache.open(
  blob,
  ({ offset }) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { headers: { range: `bytes=${offset}-` }, agent: false }, resolve).on('error', reject);
    }),
);
console.log(`sha256:${createHash('sha256').update(bytesIn(fd, blob.size)).digest('hex')}`);
