import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { UpperBuilder } from '../../src/layer/upper.js';
import { diff } from '../../src/rootfs/diff.js';
import { merge } from '../../src/rootfs/merge.js';
import { type Directory, directory } from '../../src/rootfs/node.js';
import { snapshot } from '../../src/rootfs/snapshot.js';
import { finish } from '../../src/rootfs/walk.js';
import { scanTar } from '../../src/tar/scan.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { scratch } from '../support/scratch.js';
import { runs, type Stack, tidyStack } from '../support/stacks.js';
import { archive, type Member } from '../support/tar.js';

/** Merges a stack; gives its tree, and how the tree was after `keep` layers. */
function load(stack: Stack, keep: number, home: string): { base: Directory; root: Directory; close(): void } {
  const root = directory();
  let base = snapshot(root);
  const files: number[] = [];
  for (const [order, members] of stack.entries()) {
    const tar = archive(members);
    const path = join(home, `layer-${order}`);
    writeFileSync(path, tar);
    const file = openSync(path, 'r');
    files.push(file);
    const builder = new UpperBuilder(root, { keepDirlinks: false });
    const read = (target: Uint8Array, at: number) => tar.copy(target, 0, at, at + target.length);
    for (const entry of scanTar({ size: tar.length, read })) builder.add(entry, { order, file });
    merge(root, builder.finish());
    if (order + 1 === keep) base = snapshot(root);
  }
  return { base, root, close: () => files.forEach(closeSync) };
}

test('merged onto the old tree, the difference gives the new one', (t) => {
  const home = scratch(t);
  fc.assert(
    fc.property(tidyStack, fc.nat({ max: 3 }), (stack, keep) => {
      const { base, root, close } = load(stack, keep, home);
      const expected = lines(listRootfs(finish(root)));
      merge(base, diff(base, root));
      assert.deepEqual(lines(listRootfs(finish(base))), expected);
      close();
    }),
    runs(500),
  );
});

test('nothing changed: the difference is the root directory alone', (t) => {
  const stack = [[file('a/b'), file('c')]];
  const { base, root, close } = load(stack, 1, scratch(t));
  finish(root);
  const { root: upper, opaque, removed } = diff(base, root);
  assert.deepEqual([upper.children.size, opaque.size, removed.size], [0, 0, 0]);
  close();
});

test('an inode with a new name is said with all its names, and with nothing else', (t) => {
  const stack = [[file('d/a'), link('d/b', 'd/a'), file('d/other')], [link('c', 'd/b')]];
  const { base, root, close } = load(stack, 1, scratch(t));
  finish(root);
  const { root: upper } = diff(base, root);
  const d = upper.children.get('d') as Directory;
  assert.deepEqual([...upper.children.keys()].sort(), ['c', 'd']);
  assert.deepEqual([...d.children.keys()].sort(), ['a', 'b']);
  assert.equal(upper.children.get('c'), d.children.get('a'));
  close();
});

test('a directory of which nothing stays is opaque; the root never is', (t) => {
  const stack = [
    [file('d/a'), file('d/b'), file('x'), file('y')],
    [file('d/new'), ...['d/a', 'd/b', 'x', 'y'].map(gone)],
  ];
  const { base, root, close } = load(stack, 1, scratch(t));
  finish(root);
  const { root: upper, opaque, removed } = diff(base, root);
  assert.deepEqual([...opaque], [upper.children.get('d')]);
  assert.deepEqual(
    [...removed].map(([at, names]) => [at === upper, [...names].sort()]),
    [[true, ['x', 'y']]],
  );
  close();
});

test('a new mode of a directory is said, what is in it is not', (t) => {
  const stack = [[folder('d', 0o755), file('d/a')], [folder('d', 0o700)]];
  const { base, root, close } = load(stack, 1, scratch(t));
  finish(root);
  const { root: upper } = diff(base, root);
  const d = upper.children.get('d') as Directory;
  assert.deepEqual([d.meta.mode, d.children.size], [0o700, 0]);
  close();
});

const file = (path: string): Member => ({ path, body: Buffer.from(path) });
const folder = (path: string, mode: number): Member => ({ path, mode, typeflag: '5' });
const link = (path: string, linkpath: string): Member => ({ path, linkpath, typeflag: '1' });
const gone = (path: string): Member => ({ path: path.replace(/[^/]*$/, '.wh.$&') });
