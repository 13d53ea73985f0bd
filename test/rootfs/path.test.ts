import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { directory, type Node } from '../../src/rootfs/node.js';
import { components, lookup, MAX_LINKS, splitLast } from '../../src/rootfs/path.js';
import { runs } from '../support/stacks.js';

const paths = fc
  .array(fc.constantFrom('a', 'bc', '.', '..', '...', '', '/', '//', './', '/.'), { maxLength: 12 })
  .map((parts) => parts.join(''));

test('components are what stands between slashes', () => {
  fc.assert(
    fc.property(paths, (path) => {
      const expected = path.split('/').filter((part) => part !== '' && part !== '.');
      assert.deepEqual(components(path), expected);
      const [parent, name] = splitLast(path);
      assert.equal(name, expected.at(-1) ?? '');
      assert.deepEqual(components(parent), expected.slice(0, -1));
      assert.ok(path.startsWith(parent));
    }),
    runs(1000),
  );
});

const meta = directory().meta;
const symlink = (target: string): Node => ({ kind: 'symlink', meta, nlink: 0, target });
const file: Node = { kind: 'fifo', meta, nlink: 0 };

function tree(children: Readonly<Record<string, Node>>) {
  return { ...directory(), children: new Map(Object.entries(children)) };
}

const inner = tree({ f: file, up: symlink('../../../d/f'), abs: symlink('/d'), self: symlink('self') });
const root = tree({
  d: inner,
  l: symlink('d'),
  two: symlink('/l/./'),
  dead: symlink('none'),
  out: symlink('../../../../etc'),
});

test('lookup follows links inside the root only', () => {
  const find = (path: string, follow = false) => lookup(root, path, { follow });
  assert.equal(find(''), root);
  assert.equal(find('/../..'), root);
  assert.equal(find('d/f'), file);
  assert.equal(find('./l//f'), file);
  assert.equal(find('two/abs/../l/f'), file);
  assert.equal(find('two'), root.children.get('two'));
  assert.equal(find('two', true), inner);
  assert.equal(find('l/up', true), file);
  assert.equal(find('out/f', true), undefined);
  assert.equal(find('out', true), undefined);
  assert.equal(find('dead'), root.children.get('dead'));
  assert.equal(find('dead', true), undefined);
  assert.equal(find('d/self/x'), undefined);
  assert.equal(find('d/self', true), undefined);
  assert.equal(find('d/f/x'), undefined);
  assert.equal(find('__proto__'), undefined);
});

test('as many links as Linux follows, and not one more', () => {
  const chain = (length: number) =>
    tree({
      ...Object.fromEntries(
        Array.from({ length }, (_, index) => [`l${index}`, symlink(index === 0 ? 'd' : `l${index - 1}`)]),
      ),
      d: inner,
    });
  assert.equal(lookup(chain(MAX_LINKS), `l${MAX_LINKS - 1}/f`), file);
  assert.equal(lookup(chain(MAX_LINKS + 1), `l${MAX_LINKS}/f`), undefined);
});

test('each link followed is told of', () => {
  const told: string[] = [];
  lookup(root, 'two/f', { onLink: ({ target }) => told.push(target) });
  assert.deepEqual(told, ['/l/./', 'd']);
});

test('a lookup tells the place that a path leads to', () => {
  const b = tree({ f: file });
  const root = tree({ a: tree({ b, up: symlink('../x') }), x: symlink('/a/./b') });
  for (const [path, place] of [
    ['a/b/f', 'a/b/f'],
    ['x/f', 'a/b/f'],
    ['a/up/f', 'a/b/f'],
    ['a/up/../b/f', 'a/b/f'],
    ['../../x', 'x'],
    ['x/none', 'a/b/none'],
    ['', ''],
  ] as const) {
    const names: string[] = [];
    lookup(root, path, { place: names });
    assert.equal(names.join('/'), place, path);
  }
});
