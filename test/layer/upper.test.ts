import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { Budget } from '../../src/layer/budget.js';
import { UpperBuilder } from '../../src/layer/upper.js';
import { type Directory, directory } from '../../src/rootfs/node.js';
import type { TarEntry } from '../../src/tar/entry.js';
import { entry, FILE, file, folder, names, symlink } from '../support/entries.js';
import { heldBytes } from '../support/heap.js';

function upper(
  entries: Iterable<TarEntry>,
  { lower = directory(), keepDirlinks = false, budget = new Budget() } = {},
) {
  const builder = new UpperBuilder(lower, { keepDirlinks, budget });
  for (const entry of entries) builder.add(entry, FILE);
  return builder.finish();
}

function refused(entries: TarEntry[], code: FlattenError['code'], pattern: RegExp): void {
  assert.throws(
    () => upper(entries),
    (error) => {
      assert.ok(error instanceof FlattenError, String((error as Error).stack));
      assert.equal(error.code, code);
      assert.match(error.message, pattern);
      return true;
    },
  );
}

suite('names', () => {
  test('that lead out, or nowhere', () => {
    for (const path of [
      '..',
      '../x',
      'a/..',
      'a/../b',
      '/..',
      './../x',
      'a/../../b',
      '../',
      'a/../',
      'x/.. /../y',
      '..//x',
    ]) {
      refused([file(path)], 'BAD_LAYER', /leads out by `..`/);
      refused([folder(path)], 'BAD_LAYER', /leads out by `..`/);
    }
    refused([file('')], 'BAD_LAYER', /without a name/);
    refused([file('a\0b')], 'BAD_LAYER', /NUL/);
    refused([folder('a\0/../b')], 'BAD_LAYER', /NUL/);
    assert.deepEqual(
      names(upper([file('..a'), file('b..'), file('...'), file('/c'), file('.//d/.//')]).root),
      ['f ...', 'f ..a', 'f b..', 'f c', 'f d'],
    );
  });

  test('that climb once the same parent was seen', () => {
    refused([file('a/b'), file('a/..')], 'BAD_LAYER', /leads out/);
    refused([file('a/../b'), file('a/../c')], 'BAD_LAYER', /leads out/);
  });

  test('out of the prototype', () => {
    const { root } = upper([
      file('__proto__/polluted'),
      folder('constructor'),
      file('.wh.hasOwnProperty'),
      file('toString'),
    ]);
    assert.deepEqual(names(root), ['d __proto__', 'f __proto__/polluted', 'd constructor', 'f toString']);
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
  });

  test('of 4096 bytes and more', () => {
    upper([file('d/'.repeat(2000))]);
    refused([file('d/'.repeat(2048))], 'LIMIT', /4096 bytes/);
    refused([file('d/'.repeat(10_000))], 'LIMIT', /20000 bytes/);
    refused([file('n'.repeat(1 << 20))], 'LIMIT', /1048576 bytes/);
    refused([symlink('l', 't'.repeat(4096))], 'BAD_LAYER', /symlink target of 4096/);
  });

  const parent = 'd/'.repeat(1900);
  for (const [what, pathOf] of [
    ['a name', (number: number) => `${parent}a-name-of-some-length-${number}`],
    ['the name of a directory that is implied', (number: number) => `${parent}implied-parent-${number}/f`],
    ['a whiteout', (number: number) => `${parent}.wh.a-name-of-some-length-${number}`],
  ] as const) {
    test(`${what} does not hold its whole path in memory`, () => {
      function* entries(): Generator<TarEntry> {
        for (let index = 0; index < 10_000; index++) yield file(flat(pathOf(index)));
      }
      const before = heldBytes();
      const tree = upper(entries());
      const held = heldBytes() - before;
      assert.ok(tree.root.children.size > 0);
      assert.ok(held < 10_000 * 1000, `${held} bytes, of paths that have ${10_000 * parent.length}`);
    });
  }
});

/** As it comes out of a header: not put together of parts. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

suite('what a short archive can ask for', () => {
  const limits = { maxSize: 1e9, maxEntries: 10_000 };

  test('directories implied by the million', () => {
    const entries = Array.from({ length: 10 }, (_, index) => file(`${index}/${'d/'.repeat(2000)}f`));
    assert.throws(() => upper(entries, { budget: new Budget(limits) }), { code: 'LIMIT' });
    assert.throws(
      () => upper(entries.slice(0, 5), { budget: new Budget({ ...limits, maxEntries: 10_000 }) }),
      { code: 'LIMIT' },
    );
    upper(entries.slice(0, 4), { budget: new Budget(limits) });
  });

  test('a deep directory behind symlinks, deeper than any path', () => {
    const deep = 'd/'.repeat(1500);
    const entries = [
      folder(deep),
      symlink('l', deep),
      folder(`l/${deep}`),
      symlink('m', `l/${deep}`),
      file('m/x/f'),
    ];
    refused(entries, 'LIMIT', /symlinks lead it to a path of more than 4095 bytes/);
  });

  test('paths that wind through symlinks', () => {
    const winding = 'a/../'.repeat(800);
    const links = Array.from({ length: 30 }, (_, index) =>
      symlink(`l${index}`, `${winding}${index === 0 ? 'd' : `l${index - 1}`}`),
    );
    function* entries(): Generator<TarEntry> {
      yield* [folder('a'), folder('d'), ...links];
      for (let index = 0; index < 100_000; index++) yield file(`l29/${index % 2}/${index}`);
    }
    assert.throws(() => upper(entries()), { code: 'LIMIT', message: /symlinks/ });
  });

  test('hard links whose targets wind through symlinks', () => {
    const winding = 'a/../'.repeat(800);
    const links = Array.from({ length: 30 }, (_, index) =>
      symlink(`l${index}`, `${winding}${index === 0 ? 'd' : `l${index - 1}`}`),
    );
    function* entries(): Generator<TarEntry> {
      yield* [folder('a'), file('d/f'), ...links];
      for (let index = 0; index < 100_000; index++) yield entry('link', `${index}`, { linkpath: 'l29/f' });
    }
    assert.throws(() => upper(entries()), { code: 'LIMIT', message: /symlinks/ });
  });
});

suite('keepDirlinks follows only what this layer leaves', () => {
  function lower(...entries: TarEntry[]): Directory {
    return upper(entries).root;
  }
  const below = () =>
    lower(
      folder('t'),
      folder('t/u'),
      symlink('t/v', 'u'),
      symlink('l', 't'),
      symlink('f', 'x'),
      file('x'),
      symlink('loop', 'loop'),
    );
  const placed = (...entries: TarEntry[]) =>
    names(upper(entries, { lower: below(), keepDirlinks: true }).root);

  test('to a directory, through several', () => {
    assert.deepEqual(placed(file('l/new')), ['d t', 'f t/new']);
    assert.deepEqual(placed(file('l/v/new')), ['d t', 'd t/u', 'f t/u/new']);
    assert.deepEqual(placed(folder('l'), folder('l/v')), ['d t']);
  });
  test('not to a file, nowhere, or round in circles', () => {
    assert.deepEqual(placed(file('f/new'), file('loop/new')), ['d f', 'f f/new', 'd loop', 'f loop/new']);
  });
  test('not what was removed, made opaque or replaced before', () => {
    assert.deepEqual(placed(file('.wh.l'), file('l/new')), ['d l', 'f l/new']);
    assert.deepEqual(placed(file('.wh..wh..opq'), file('l/new')), ['d l', 'f l/new']);
    assert.deepEqual(placed(file('t/.wh..wh..opq'), file('t/v/new')), ['d t', 'd t/v', 'f t/v/new']);
    assert.deepEqual(placed(file('.wh.l'), file('l/v/new')), ['d l', 'd l/v', 'f l/v/new']);
    assert.deepEqual(placed(file('l'), file('l/new')), ['d l', 'f l/new']);
  });
});
