import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budget, MAX_FOLLOWED } from '../../src/layer/budget.js';
import { maxMetadata } from '../../src/tar/footprint.js';
import { entry, file } from '../support/entries.js';

const limits = { maxSize: 1000, maxEntries: 3 };

function limit(pattern: RegExp, hint?: RegExp) {
  return (error: { code?: string; message: string; hint?: string }) => {
    assert.equal(error.code, 'LIMIT');
    assert.match(error.message, pattern);
    if (hint) assert.match(error.hint!, hint);
    return true;
  };
}

test('entries, described and implied', () => {
  const budget = new Budget(limits);
  budget.take(file('a'));
  budget.imply('d/b');
  budget.take(entry('fifo', 'd/b'));
  assert.throws(() => budget.take(file('c')), limit(/^c: more than 3 entries/, /\{maxEntries\}/));
  assert.throws(() => budget.imply('e/f'), limit(/^e\/f: more than 3 entries/));
});

test('bytes of files, sparse ones by their size', () => {
  const budget = new Budget(limits);
  budget.take(file('a', { size: 1000 }));
  assert.throws(
    () => budget.take(file('b', { size: 1, segments: [] })),
    limit(/^b: .*1,000 bytes/, /\{maxSize\}/),
  );
  assert.throws(
    () => new Budget(limits).take(file('c', { size: Number.MAX_SAFE_INTEGER })),
    limit(/1,000 bytes/),
  );
});

test('metadata: names, headers, xattrs and maps, small ones at what they cost', () => {
  const room = maxMetadata({ maxSize: 0, maxEntries: 2_000_000 });
  const fill = (more: Parameters<typeof file>[1]) => {
    const budget = new Budget();
    let count = 0;
    assert.throws(
      () => {
        for (; count < 2_000_000; count++) budget.take(file('f', more));
      },
      limit(/headers, names and xattrs/),
    );
    return count;
  };
  assert.ok(fill({ headerBytes: 1 << 20 }) <= room / 2 ** 20);
  assert.ok(fill({ linkpath: 'x'.repeat(4000) }) <= room / 4000);
  const xattrs = new Map(Array.from({ length: 1000 }, (_, index) => [`u${index}`, Buffer.alloc(0)]));
  assert.ok(fill({ xattrs }) <= room / 100_000);
  const segments = Array.from({ length: 1000 }, (_, index) => ({ start: 2 * index, length: 1 }));
  assert.ok(fill({ segments }) <= room / 64_000);
});

test('an honest image of as many entries as are allowed has room', () => {
  const budget = new Budget();
  const xattrs = new Map([['security.capability', Buffer.alloc(20)]]);
  for (let index = 0; index < 2_000_000; index++) {
    budget.take(
      file('usr/lib/node_modules/some/package/dist/some-file-name.js', {
        headerBytes: 120,
        ...(index % 100 === 0 && { xattrs }),
      }),
    );
  }
});

test('ways through symlinks', () => {
  const budget = new Budget(limits);
  const target = 'a/'.repeat(2000);
  assert.throws(
    () => {
      for (let count = 0; count <= MAX_FOLLOWED / 4000; count++) budget.follow(target, 'x');
    },
    limit(/symlinks/),
  );
});

test('what names a path in an error is not of any length', () => {
  assert.throws(
    () => new Budget({ maxSize: 0, maxEntries: 0 }).take(file('p'.repeat(100_000))),
    (error: Error) => error.message.length < 400,
  );
});
