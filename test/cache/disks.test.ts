/** The cache on disks that are full, or that take nothing. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from '../support/needs.js';
import { bytesIn, cacheFor, madeBlob, served } from './served.js';

const skip = needs('root', 'mount');

function mounted(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'flatten-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=0700', 'tmpfs', path]);
  t.after(() => {
    execFileSync('umount', [path]);
    rmdirSync(path);
  });
  return path;
}

test(
  'the disk under the cache fills up: the run goes on without it, from where it was',
  { skip },
  async (t) => {
    const { cache, warnings, path, tmp } = cacheFor(t, join(mounted(t), 'cache'));
    const [small, large] = [madeBlob(10_000), madeBlob(3_000_000)];
    const from = served(large.bytes);
    const { fd } = await cache.open(large.blob, from.fetch);
    assert.ok(bytesIn(fd, large.blob.size).equals(large.bytes));
    closeSync(fd);
    assert.deepEqual(from.offsets, [0]);
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^NO_CACHE: the cache .* is not used: ENOSPC/);
    assert.deepEqual(readdirSync(join(path, 'partial')), []);
    assert.deepEqual(readdirSync(tmp), []);
    closeSync((await cache.open(small.blob, served(small.bytes).fetch)).fd);
    assert.deepEqual(readdirSync(join(path, 'blobs/sha256')), []);
    assert.equal(warnings.length, 1);
  },
);

test('the disk under the cache fills up while a blob is read: all of it comes', { skip }, async (t) => {
  const { cache, warnings, path } = cacheFor(t, join(mounted(t), 'cache'));
  const { bytes, blob } = madeBlob(3_000_000);
  const { fetch, offsets } = served(bytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of cache.stream(blob, fetch)) chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.deepEqual(offsets, [0]);
  assert.match(warnings.join(), /^NO_CACHE: the cache .* is not used: ENOSPC[^\n]*$/);
  assert.deepEqual(readdirSync(join(path, 'partial')), []);
});

test('a cache that takes nothing serves what it has', { skip }, async (t) => {
  const place = mounted(t);
  const path = join(place, 'cache');
  const [known, other] = [madeBlob(10_000), madeBlob(20_000)];
  closeSync((await cacheFor(t, path).cache.open(known.blob, served(known.bytes).fetch)).fd);
  execFileSync('mount', ['-o', 'remount,ro', place]);
  const { cache, warnings } = cacheFor(t, path);
  const from = served(known.bytes);
  closeSync((await cache.open(known.blob, from.fetch)).fd);
  assert.deepEqual([from.offsets, warnings], [[], []]);
  const { fd } = await cache.open(other.blob, served(other.bytes).fetch);
  assert.ok(bytesIn(fd, other.blob.size).equals(other.bytes));
  closeSync(fd);
  assert.match(warnings.join(), /^NO_CACHE: .*EROFS/);
  const none = cacheFor(t, join(place, 'none'));
  closeSync((await none.cache.open(other.blob, served(other.bytes).fetch)).fd);
  assert.match(none.warnings.join(), /^NO_CACHE: .*EROFS/);
});
