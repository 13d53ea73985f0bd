import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UpperBuilder } from '../../src/layer/upper.js';
import { merge } from '../../src/rootfs/merge.js';
import { directory } from '../../src/rootfs/node.js';
import type { TarEntry } from '../../src/tar/entry.js';
import { FILE, file, folder, link, names, symlink } from '../support/entries.js';

function layer(root: ReturnType<typeof directory>, ...entries: TarEntry[]) {
  const builder = new UpperBuilder(root, { keepDirlinks: false });
  for (const entry of entries) builder.add(entry, FILE);
  return merge(root, builder.finish());
}

test('a directory swapped for a link between layers takes nothing of the link’s target along', () => {
  const root = directory();
  layer(root, folder('d'), file('d/secret'), folder('t'), file('t/kept'));
  layer(root, symlink('d', 't'));
  assert.deepEqual(names(root), ['l->t d', 'd t', 'f t/kept']);
  assert.deepEqual(layer(root, file('d/new')), [{ path: 'd', target: 't' }]);
  assert.deepEqual(names(root), ['d d', 'f d/new', 'd t', 'f t/kept']);
});

test('only a directory with content over a symlink is worth a word', () => {
  const root = directory();
  layer(root, symlink('a', '/x'), symlink('b', '/x'), symlink('c', '/x'), symlink('e', '/x'));
  assert.deepEqual(layer(root, folder('a'), file('b'), symlink('c', '/y'), file('sub/e')), []);
  assert.deepEqual(layer(root, symlink('sub/l', '..')), []);
  assert.deepEqual(layer(root, file('sub/l/deep/f')), [{ path: 'sub/l', target: '..' }]);
});

test('a directory that a layer only implies keeps what it has; one with an entry takes that', () => {
  const root = directory();
  layer(root, folder('d', { mode: 0o700 }), file('d/a'));
  layer(root, file('d/b'));
  assert.equal(root.children.get('d')!.meta.mode, 0o700);
  layer(root, folder('d', { mode: 0o711 }));
  assert.equal(root.children.get('d')!.meta.mode, 0o711);
  assert.deepEqual(names(root), ['d d', 'f d/a', 'f d/b']);
});

test('an opaque directory hides every lower child, a whiteout one name', () => {
  const root = directory();
  layer(root, file('d/a'), file('d/sub/b'), file('e/a'), file('e/b'));
  layer(root, file('d/.wh..wh..opq'), file('d/new'), file('e/.wh.a'));
  assert.deepEqual(names(root), ['d d', 'f d/new', 'd e', 'f e/b']);
});

test('an inode whose name goes lives on in its other names', () => {
  const root = directory();
  layer(root, file('a', { size: 7 }));
  layer(root, link('b', 'a'));
  assert.equal(root.children.get('a'), root.children.get('b'));
  layer(root, file('.wh.a'));
  layer(root, folder('b2'), link('b2/c', '/b'), file('.wh.b'));
  assert.deepEqual(names(root), ['d b2', 'f b2/c']);
});

test('a depth of thousands, and as many layers', () => {
  const root = directory();
  const deep = 'd/'.repeat(2000);
  for (let index = 0; index < 50; index++)
    layer(root, file(`${deep}${index}`), file(`${deep}.wh.${index - 1}`));
  assert.equal(names(root).length, 2001);
});
