import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { UpperBuilder } from '../../src/layer/upper.js';
import { type Directory, directory } from '../../src/rootfs/node.js';
import { lookup } from '../../src/rootfs/path.js';
import type { TarEntry } from '../../src/tar/entry.js';
import { FILE, file, folder, link, symlink } from '../support/entries.js';

function built(entries: Iterable<TarEntry>, lower = directory()): Directory {
  const builder = new UpperBuilder(lower, { keepDirlinks: false });
  for (const entry of entries) builder.add(entry, FILE);
  return builder.finish().root;
}

function refused(entries: Iterable<TarEntry>, pattern: RegExp): void {
  assert.throws(
    () => built(entries),
    (error) => {
      assert.ok(error instanceof FlattenError, String((error as Error).stack));
      assert.equal(error.code, 'BAD_LAYER');
      assert.match(error.message, pattern);
      return true;
    },
  );
}

suite('targets outside are not there', () => {
  for (const target of [
    '/etc/passwd',
    '../../etc/passwd',
    '../etc/passwd',
    'd/../../etc/passwd',
    '/../etc/passwd',
    'out/passwd',
    'up/etc/passwd',
  ]) {
    test(target, () => {
      const entries = [folder('d'), symlink('out', '/etc'), symlink('up', '../../..'), link('l', target)];
      refused(entries, /^l: the hard link to .* has no target/);
    });
  }
});

test('a target of many bytes', () => {
  refused([link('l', 'd/'.repeat(5000))], /longer than any path/);
});

const MANY = 200_000;

test('a long chain of links that wait for each other', () => {
  function* chain(): Generator<TarEntry> {
    for (let index = 0; index < MANY; index++) yield link(`${index}`, `${index + 1}`);
    yield file(`${MANY}`, { size: 5 });
  }
  const { children } = built(chain());
  assert.equal(children.size, MANY + 1);
  assert.equal(new Set(children.values()).size, 1);
});

test('a long chain that ends nowhere, or in a circle', () => {
  function* chain(end: TarEntry): Generator<TarEntry> {
    for (let index = 0; index < MANY; index++) yield link(`${index}`, `${index + 1}`);
    yield end;
  }
  refused(chain(link(`${MANY}`, 'nowhere')), /to "nowhere" has no target/);
  refused(chain(link(`${MANY}`, '0')), /circle of hard links/);
  refused(chain(link(`${MANY}`, `${MANY / 2}`)), /circle of hard links/);
  refused(chain(folder(`${MANY}`)), /leads to a directory/);
});

test('many links that wait for one', () => {
  function* star(): Generator<TarEntry> {
    for (let index = 0; index < MANY; index++) yield link(`d/${index}`, 'hub');
    yield link('hub', 'f');
    yield file('f');
  }
  const root = built(star());
  assert.equal(lookup(root, `d/${MANY - 1}`), lookup(root, 'f'));
});

test('a name that a link waits for may be taken by something else', () => {
  const root = built([link('a', 'b'), folder('a'), file('a/x'), file('b')]);
  assert.equal(root.children.get('a')!.kind, 'directory');
});

test('through links of the same layer', () => {
  const root = built([symlink('s', 'd'), link('early', 's/f'), file('d/f'), link('late', '/s/./f')]);
  const node = lookup(root, 'd/f');
  assert.equal(lookup(root, 'early'), node);
  assert.equal(lookup(root, 'late'), node);
});
