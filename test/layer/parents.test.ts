import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Budget } from '../../src/layer/budget.js';
import { Parents } from '../../src/layer/parents.js';
import { type Directory, directory, type Node } from '../../src/rootfs/node.js';
import { lookup } from '../../src/rootfs/path.js';
import { names } from '../support/entries.js';

function parents(children: Readonly<Record<string, string>> = {}) {
  const root = directory();
  for (const [name, target] of Object.entries(children)) {
    const node: Node = { kind: 'symlink', meta: root.meta, nlink: 0, target };
    root.children.set(name, node);
  }
  const implied = new Set<Directory>();
  const options = {
    root,
    implied,
    lower: directory(),
    removed: new Map(),
    opaque: new Set<Directory>(),
    keepDirlinks: false,
  };
  return {
    root,
    implied,
    parents: new Parents({ ...options, budget: new Budget({ maxSize: 0, maxEntries: 100 }) }),
  };
}

test('what is missing on the way is implied, once', () => {
  const { root, implied, parents: p } = parents();
  const place = p.of('a/b', 'a/b/f');
  assert.deepEqual(names(root), ['d a', 'd a/b']);
  assert.equal(place.directory, lookup(root, 'a/b'));
  assert.deepEqual(place.names, ['a', 'b']);
  assert.equal(p.of('./a//b/', 'x').directory, place.directory);
  assert.equal(implied.size, 2);
  assert.equal(p.of('', 'x').directory, root);
});

test('links are followed inside the root', () => {
  const { root, parents: p } = parents({ up: '../../..', abs: '/x/y', here: '.', two: 'abs/z' });
  const resolved = (path: string) => p.of(path, `${path}/f`).names.join('/');
  assert.equal(resolved('up/etc'), 'etc');
  assert.equal(resolved('abs/../q'.replace('/..', '')), 'x/y/q');
  assert.equal(resolved('here/here/up/w'), 'w');
  assert.equal(resolved('two/v'), 'x/y/z/v');
  assert.ok(names(root).includes('d x/y/z/v'));
});

test('circles end', () => {
  const { parents: p } = parents({ self: 'self', a: 'b', b: 'a/x', up: '/up/../up' });
  for (const path of ['self', 'a', 'b/c', 'up']) {
    assert.throws(() => p.of(path, `${path}/f`), {
      code: 'BAD_LAYER',
      message: new RegExp(`^${path}/f: its parent .* is a cycle`),
    });
  }
});

test('the parent before is kept until it is forgotten', () => {
  const { root, parents: p } = parents();
  const before = p.of('a', 'a/f').directory;
  root.children.set('a', directory());
  assert.equal(p.of('a', 'a/g').directory, before);
  p.forget();
  assert.equal(p.of('a', 'a/g').directory, root.children.get('a'));
});
