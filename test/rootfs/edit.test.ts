import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exclude, include } from '../../src/rootfs/edit.js';
import { pathTest } from '../../src/rootfs/glob.js';
import { type Directory, directory, NO_XATTRS } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';

const META = { mode: 0o644, uid: 0, gid: 0, mtime: 0n, xattrs: NO_XATTRS };

/** A tree of directories (a slash at the end) and fifos. */
function tree(...paths: string[]): Directory {
  const root = directory();
  for (const path of paths) {
    const parts = path.split('/');
    const name = parts.pop()!;
    let at = root;
    for (const part of parts) {
      if (!at.children.has(part)) at.children.set(part, directory());
      at = at.children.get(part) as Directory;
    }
    if (name !== '') at.children.set(name, { kind: 'fifo', meta: META, nlink: 1 });
  }
  return root;
}

function paths(root: Directory): string[] {
  return [...walk(root)].map(({ path, node }) => (node.kind === 'directory' ? `${path}/` : path)).slice(1);
}

test('exclude takes a tree away, and a bare name at any depth', () => {
  const root = tree('etc/a.txt', 'etc/b', 'usr/share/doc/x/y', 'usr/share/a.txt', 'doc');
  exclude(root, pathTest(['*.txt', '/usr/share/doc']));
  assert.deepEqual(paths(root), ['doc', 'etc/', 'etc/b', 'usr/', 'usr/share/']);
});

test('include keeps what is meant, what is below it, and what leads there', () => {
  const root = tree('etc/a', 'etc/b/c', 'usr/bin/x', 'usr/lib/y', 'var/', 'tmp/');
  include(root, pathTest(['etc/b', 'usr/l*', 'tmp']));
  assert.deepEqual(paths(root), ['etc/', 'etc/b/', 'etc/b/c', 'tmp/', 'usr/', 'usr/lib/', 'usr/lib/y']);
});

test('include keeps one file, and of its neighbours nothing', () => {
  const root = tree('etc/deep/a', 'etc/deep/b', 'etc/other/a', 'a');
  include(root, pathTest(['etc/deep/a']));
  assert.deepEqual(paths(root), ['etc/', 'etc/deep/', 'etc/deep/a']);
});
