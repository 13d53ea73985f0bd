/** The cache of blobs, by one process: what is kept, what is noticed, and what it does without. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { bytesIn, cacheFor, madeBlob, served } from './served.js';

const entry = (path: string, digest: string) => join(path, 'blobs', digest.replace(':', '/'));
const part = (path: string, digest: string) => join(path, 'partial', digest.replace(':', '-'));

test('a blob is fetched once, and kept in the shape of an OCI layout', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(300_000);
  const { fetch, offsets } = served(bytes);
  assert.equal(cache.find(blob), undefined);
  for (const _ of [1, 2]) {
    const { fd, isVerified } = await cache.open(blob, fetch);
    assert.ok(bytesIn(fd, blob.size).equals(bytes));
    assert.ok(isVerified);
    closeSync(fd);
  }
  assert.deepEqual(offsets, [0]);
  closeSync(cache.find(blob)!);
  assert.ok(readFileSync(entry(path, blob.digest)).equals(bytes));
  assert.deepEqual(readdirSync(join(path, 'partial')), []);
  for (const place of [path, join(path, 'blobs/sha256')]) assert.equal(statSync(place).mode & 0o777, 0o700);
  assert.equal(statSync(entry(path, blob.digest)).mode & 0o777, 0o600);
  assert.match(
    readFileSync(join(path, 'CACHEDIR.TAG'), 'utf8'),
    /^Signature: 8a477f597d28d172789f06886806bc55/,
  );
});

test('an entry that is used becomes young', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(1000);
  const { fetch } = served(bytes);
  closeSync((await cache.open(blob, fetch)).fd);
  utimesSync(entry(path, blob.digest), 1, 1);
  closeSync((await cache.open(blob, fetch)).fd);
  assert.ok(statSync(entry(path, blob.digest)).mtimeMs > 1e12);
});

test('a damaged entry is noticed by its digest, or its size, and fetched again', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(200_000);
  const { fetch, offsets } = served(bytes);
  closeSync((await cache.open(blob, fetch)).fd);
  const damages = [Buffer.from(bytes).fill(0, 1000, 1001), bytes.subarray(0, 1000), Buffer.alloc(0)];
  if (damages[0]!.equals(bytes)) damages[0]![1000] = 1;
  for (const [index, damage] of damages.entries()) {
    writeFileSync(entry(path, blob.digest), damage);
    const { fd } = await cache.open(blob, fetch);
    assert.ok(bytesIn(fd, blob.size).equals(bytes));
    closeSync(fd);
    assert.equal(offsets.length, index + 2);
    assert.ok(readFileSync(entry(path, blob.digest)).equals(bytes));
  }
});

test('who compares the digest anyway reads an entry as it is, and can have it forgotten', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(50_000);
  const { fetch, offsets } = served(bytes);
  closeSync((await cache.open(blob, fetch, { verify: false })).fd);
  writeFileSync(entry(path, blob.digest), Buffer.alloc(50_000));
  const { fd, isVerified } = await cache.open(blob, fetch, { verify: false });
  assert.equal(isVerified, false);
  assert.ok(bytesIn(fd, 50_000).equals(Buffer.alloc(50_000)));
  closeSync(fd);
  cache.forget(blob.digest);
  const again = await cache.open(blob, fetch, { verify: false });
  assert.ok(again.isVerified);
  assert.ok(bytesIn(again.fd, 50_000).equals(bytes));
  closeSync(again.fd);
  assert.deepEqual(offsets, [0, 0]);
});

test('a transfer that broke off goes on where it stopped, and what was there is hashed again', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(1_000_000);
  const { fetch, offsets } = served(bytes);
  const cut = async () =>
    (async function* () {
      yield bytes.subarray(0, 400_000);
      throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', syscall: 'read' });
    })();
  await assert.rejects(cache.open(blob, cut), /ECONNRESET/);
  assert.equal(statSync(part(path, blob.digest)).size, 400_000);
  assert.equal(existsSync(`${part(path, blob.digest)}.lock`), false);
  const { fd } = await cache.open(blob, fetch);
  assert.ok(bytesIn(fd, blob.size).equals(bytes));
  closeSync(fd);
  assert.deepEqual(offsets, [400_000]);
});

test('a part that is wrong is thrown away, and all of it fetched', async (t) => {
  const { bytes, blob } = madeBlob(500_000);
  for (const wrong of [Buffer.alloc(100_000), Buffer.alloc(500_000), Buffer.alloc(600_000)]) {
    const { cache, path } = cacheFor(t);
    mkdirSync(join(path, 'partial'), { recursive: true, mode: 0o700 });
    writeFileSync(part(path, blob.digest), wrong);
    const { fetch, offsets } = served(bytes);
    const { fd } = await cache.open(blob, fetch);
    assert.ok(bytesIn(fd, blob.size).equals(bytes));
    closeSync(fd);
    assert.equal(offsets.at(-1), 0);
  }
});

test('other bytes than the blob are refused, and nothing of them stays', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(100_000);
  const more = Buffer.concat([bytes, Buffer.from('x')]);
  const cases: [Buffer, object][] = [
    [Buffer.alloc(100_000), { code: 'DIGEST_MISMATCH', message: /what was sent is sha256:/ }],
    [more, { code: 'DIGEST_MISMATCH', message: /has more than its 100000 bytes/ }],
  ];
  for (const [sent, expected] of cases) {
    await assert.rejects(cache.open(blob, served(sent).fetch), expected);
    assert.deepEqual(readdirSync(join(path, 'partial')), []);
    assert.deepEqual(readdirSync(join(path, 'blobs/sha256')), []);
  }
  await assert.rejects(cache.open(blob, served(bytes.subarray(0, 5000)).fetch), {
    code: 'IO',
    message: /ended after 5000 of 100000 bytes/,
  });
  assert.equal(statSync(part(path, blob.digest)).size, 5000);
});

test('an interrupt while it arrives: the part stays for the next run', async (t) => {
  const { cache, path, stop } = cacheFor(t);
  const { bytes, blob } = madeBlob(100_000);
  const endless = async () =>
    (async function* () {
      yield bytes.subarray(0, 1000);
      stop.abort();
      yield bytes.subarray(1000);
    })();
  await assert.rejects(cache.open(blob, endless), { code: 'INTERRUPTED' });
  assert.equal(statSync(part(path, blob.digest)).size, 1000);
});

test('no cache: blobs come into files without a name, and nothing is kept', async (t) => {
  const { BlobCache } = await import('../../src/cache/cache.js');
  const tmp = scratch(t);
  const cache = new BlobCache(undefined, {
    signal: new AbortController().signal,
    tmp,
    report: () => assert.fail(),
  });
  const { bytes, blob } = madeBlob(10_000);
  const { fd } = await cache.open(blob, served(bytes).fetch);
  assert.ok(bytesIn(fd, blob.size).equals(bytes));
  closeSync(fd);
  assert.deepEqual(readdirSync(tmp), []);
  assert.equal(cache.find(blob), undefined);
});

test(
  "another user's directory, one that others may write to, a file and a link inside are no cache",
  { skip: needs('root') },
  async (t) => {
    const { bytes, blob } = madeBlob(10_000);
    const make = (change: (path: string) => void) => {
      const path = join(scratch(t), 'cache');
      mkdirSync(path, { mode: 0o700 });
      change(path);
      return path;
    };
    const elsewhere = scratch(t);
    const cases: [path: string, why: RegExp][] = [
      [make((path) => chownSync(path, 65534, 65534)), /belongs to another user/],
      [make((path) => chmodSync(path, 0o777)), /other users may write to it/],
      [make((path) => chmodSync(path, 0o1720)), /other users may write to it/],
      [make((path) => symlinkSync(elsewhere, join(path, 'blobs'))), /blobs: is no directory/],
      [
        join(
          make((path) => writeFileSync(join(path, 'file'), '')),
          'file',
        ),
        /is no directory/,
      ],
    ];
    for (const [path, why] of cases) {
      const { cache, warnings } = cacheFor(t, path);
      for (const _ of [1, 2]) {
        const { fd } = await cache.open(blob, served(bytes).fetch);
        assert.ok(bytesIn(fd, blob.size).equals(bytes));
        closeSync(fd);
      }
      assert.equal(warnings.length, 1, path);
      assert.match(warnings[0]!, why);
      assert.match(warnings[0]!, /^NO_CACHE: the cache .* is not used/);
    }
    assert.deepEqual(readdirSync(elsewhere), []);
  },
);

/** All bytes of a stream. */
async function streamed(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

test('a blob that is read while it arrives is kept too; two who want it at once fetch it once', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(300_000);
  const { fetch, offsets } = served(bytes);
  const both = await Promise.all([1, 2].map(() => streamed(cache.stream(blob, fetch))));
  for (const each of [...both, await streamed(cache.stream(blob, fetch))]) assert.ok(each.equals(bytes));
  assert.deepEqual(offsets, [0]);
  assert.ok(readFileSync(entry(path, blob.digest)).equals(bytes));
  assert.deepEqual(readdirSync(join(path, 'partial')), []);
});

test('a reader that stops leaves a part, with which the next begins; wrong bytes are not kept', async (t) => {
  const { cache, path } = cacheFor(t);
  const { bytes, blob } = madeBlob(300_000);
  const { fetch, offsets } = served(bytes);
  for await (const _ of cache.stream(blob, fetch)) break;
  assert.equal(statSync(part(path, blob.digest)).size, 1 << 16);
  assert.deepEqual(readdirSync(join(path, 'partial')).length, 1);
  assert.ok((await streamed(cache.stream(blob, fetch))).equals(bytes));
  assert.deepEqual(offsets, [0, 1 << 16]);
  const other = madeBlob(1000);
  await streamed(cache.stream(other.blob, served(Buffer.alloc(1000)).fetch));
  assert.deepEqual(readdirSync(join(path, 'partial')), []);
  assert.equal(cache.find(other.blob), undefined);
});
