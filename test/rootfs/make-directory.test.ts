import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeDirectory } from '../../src/rootfs/make-directory.js';
import { type Directory, directory, NO_XATTRS, type Node } from '../../src/rootfs/node.js';
import { lookup } from '../../src/rootfs/path.js';

const META = { mode: 0o700, uid: 7, gid: 8, mtime: 9n, xattrs: NO_XATTRS };

/** `d` is a directory, `f` a fifo; `ld`, `lf` and `lost` are symlinks to these and to nothing. */
function tree(): Directory {
  const link = (target: string): Node => ({ kind: 'symlink', meta: META, nlink: 1, target });
  const root = directory(META);
  root.children.set('d', directory(META));
  root.children.set('f', { kind: 'fifo', meta: META, nlink: 1 });
  for (const [name, target] of Object.entries({ ld: '/d', lf: 'f', lost: 'nowhere', loop: 'loop' }))
    root.children.set(name, link(target));
  return root;
}

test('a new directory is of root and 0755, and so are its parents', () => {
  const root = tree();
  makeDirectory(root, { path: '/a//b/./c' }, 5n);
  assert.deepEqual(lookup(root, 'a/b/c')!.meta, {
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 5n,
    xattrs: NO_XATTRS,
  });
  assert.equal(lookup(root, 'a/b')!.meta.mtime, 0n);
  makeDirectory(root, { path: 'ld/x', mode: 0o1770 }, 5n);
  assert.equal(lookup(root, 'd/x')!.meta.mode, 0o1770);
});

test('a directory that is there stays, but for a mode', () => {
  const root = tree();
  for (const path of ['d', '/', 'ld']) makeDirectory(root, { path }, 5n);
  assert.equal(lookup(root, 'd')!.meta, META);
  assert.equal(root.meta, META);
  assert.equal(root.children.get('ld')!.kind, 'symlink');
  makeDirectory(root, { path: 'd', mode: 0o1777 }, 5n);
  assert.deepEqual(lookup(root, 'd')!.meta, { ...META, mode: 0o1777 });
});

for (const [path, what] of [
  ['f', /^\{mkdir: f\}: f is a fifo in the image$/],
  ['f/x', /^\{mkdir: f\/x\}: f is a fifo in the image$/],
  ['lf', /^\{mkdir: lf\}: lf is a symlink that leads to no directory in the image$/],
  ['lf/x', /lf is a symlink that leads to no directory/],
  ['lost', /lost is a symlink that leads to no directory/],
  ['loop/x', /loop is a symlink that leads to no directory/],
  ['ld/../x', /^\{mkdir: ld\/\.\.\/x\}: is no path in the image$/],
] as const) {
  test(`as with mkdir(1), it is an error: ${path}`, () => {
    const root = tree();
    assert.throws(() => makeDirectory(root, { path }, 0n), { code: 'USAGE', message: what });
  });
}

test('a symlink to a directory has no mode', () => {
  assert.throws(() => makeDirectory(tree(), { path: 'ld', mode: 0o700 }, 0n), {
    code: 'USAGE',
    message: '{mkdir: ld}: is a symlink in the image, and has no mode',
  });
});
