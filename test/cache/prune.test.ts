import assert from 'node:assert/strict';
import { closeSync, existsSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { tryLock } from '../../src/cache/lock.js';
import { cacheEntries, pruneCache } from '../../src/cache/prune.js';
import { cachePath } from '../../src/cache/settings.js';
import { run } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { bytesIn, cacheFor, madeBlob, served } from './served.js';

/** A cache with three blobs of 1000, 2000 and 3000 bytes, the first the oldest. */
async function filled(t: TestContext) {
  const { cache, path } = cacheFor(t);
  const made = [1000, 2000, 3000].map(madeBlob);
  const files: string[] = [];
  for (const [index, { bytes, blob }] of made.entries()) {
    closeSync((await cache.open(blob, served(bytes).fetch)).fd);
    const file = join(path, 'blobs', blob.digest.replace(':', '/'));
    utimesSync(file, 1000 + index, 1000 + index);
    files.push(file);
  }
  return { cache, path, made, files };
}

test('what was used longest ago goes first, until the rest fits', async (t) => {
  const { path, files, made } = await filled(t);
  assert.deepEqual(
    cacheEntries(path).map(({ bytes }) => bytes),
    [3000, 2000, 1000],
  );
  assert.deepEqual(pruneCache(path, 6000), []);
  assert.deepEqual(
    pruneCache(path, 5999).map(({ digest }) => digest),
    [made[0]!.blob.digest],
  );
  assert.deepEqual(
    files.map((file) => existsSync(file)),
    [false, true, true],
  );
  assert.equal(pruneCache(path, 0).length, 2);
  assert.deepEqual(cacheEntries(path), []);
});

test('an entry that is being read can be removed, and the reader has its bytes', async (t) => {
  const { cache, path, made } = await filled(t);
  const { bytes, blob } = made[2]!;
  const { fd } = await cache.open(blob, served(bytes).fetch);
  pruneCache(path, 0);
  assert.ok(bytesIn(fd, blob.size).equals(bytes));
  closeSync(fd);
});

test('a part that somebody fetches stays; one that nobody does goes', async (t) => {
  const { path } = await filled(t);
  const { blob } = madeBlob(10);
  const part = join(path, 'partial', blob.digest.replace(':', '-'));
  writeFileSync(part, 'part');
  const lock = tryLock(`${part}.lock`)!;
  assert.equal(pruneCache(path, 0).length, 3);
  assert.ok(existsSync(part));
  lock.release();
  assert.deepEqual(
    pruneCache(path, 0).map(({ isPartial }) => isPartial),
    [true],
  );
});

test('where the cache is', () => {
  const HOME = '/home/me';
  assert.equal(cachePath(undefined, { HOME }), '/home/me/.cache/flatten');
  assert.equal(cachePath(undefined, { HOME, XDG_CACHE_HOME: '/x' }), '/x/flatten');
  assert.equal(cachePath(undefined, { HOME, XDG_CACHE_HOME: 'x' }), '/home/me/.cache/flatten');
  assert.equal(cachePath(undefined, { HOME, FLATTEN_CACHE: '/f' }), '/f');
  assert.equal(cachePath('/d', { HOME, FLATTEN_CACHE: 'none' }), '/d');
  assert.equal(cachePath('none', { HOME }), undefined);
  assert.equal(cachePath(undefined, { HOME, FLATTEN_CACHE: 'none' }), undefined);
});

test('flatten cache ls and prune', async (t) => {
  const { path, made, files } = await filled(t);
  const env = { FLATTEN_CACHE: path };
  const listed = run(['cache', 'ls'], { env });
  assert.equal(listed.code, 0, listed.stderr);
  const lines = listed.stdout.toString().trimEnd().split('\n');
  assert.match(lines[0]!, new RegExp(`^${made[2]!.blob.digest}  +3\\.0 kB  1970-01-01 00:16$`));
  assert.equal(lines.length, 3);
  assert.equal(listed.stderr, `${path}: 3 blobs, 6.0 kB\n`);
  const json = JSON.parse(run(['cache', 'ls', '--cache', path, '--json']).stdout.toString());
  assert.deepEqual(
    json.entries.map(({ digest, bytes }: { digest: string; bytes: number }) => [digest, bytes]),
    made.map(({ blob }) => [blob.digest, blob.size]).reverse(),
  );
  const pruned = run(['cache', 'prune', '--cache-size', '3500'], { env });
  assert.equal(pruned.stderr, `${path}: 2 of 3 blobs removed, 3.0 kB; 3.0 kB are left\n`);
  assert.deepEqual(
    files.map((file) => existsSync(file)),
    [false, false, true],
  );
  assert.match(run(['cache', 'prune'], { env }).stderr, /0 of 1 blobs removed/);
  assert.equal(run(['cache', 'prune', '--cache-size', '0', '-q'], { env }).stderr, '');
  assert.ok(!existsSync(files[2]!));
});

test('flatten cache says what it cannot do', (t) => {
  const none = run(['cache', 'ls', '--cache', 'none']);
  assert.deepEqual(
    [none.code, none.stderr.split('\n')[0]],
    [2, 'flatten: error: --cache none: there is no cache'],
  );
  const absent = join(scratch(t), 'absent');
  assert.equal(run(['cache', 'ls', '--cache', absent]).stderr, `${absent}: 0 blobs, 0 B\n`);
  assert.equal(existsSync(absent), false);
  assert.equal(run(['cache', 'prune', '--cache', absent]).code, 0);
  const file = join(scratch(t), 'file');
  writeFileSync(file, '');
  assert.match(run(['cache', 'prune', '--cache', file]).stderr, /error: .*file: is no directory/);
  assert.equal(run(['cache', 'empty']).code, 2);
  assert.match(run(['cache', 'ls', '--cache-size', '1']).stderr, /--cache-size: .*prune/);
});
