import assert from 'node:assert/strict';
import { test } from 'node:test';
import { directory, type File, type Node } from '../../src/rootfs/node.js';
import { eachName, finish, walk } from '../../src/rootfs/walk.js';

const meta = directory().meta;
const fileOf = (size: number): File => ({
  kind: 'file',
  meta,
  nlink: 99,
  content: { layer: { order: 0, file: -1 }, offset: 0, size },
});
const tree = (children: readonly (readonly [string, Node])[]) => ({
  ...directory(),
  children: new Map(children),
});

test('names come in byte order, each directory before its children', () => {
  const leaf = fileOf(1);
  const root = tree([
    [
      'b',
      tree([
        ['z', leaf],
        ['\xff', leaf],
        ['A', leaf],
      ]),
    ],
    ['a.b', leaf],
    ['a', tree([['x', leaf]])],
    [`${'a/'.slice(0, 1)}0`, leaf],
  ]);
  assert.deepEqual(
    [...walk(root)].map(({ path }) => path),
    ['', 'a', 'a/x', 'a.b', 'a0', 'b', 'b/A', 'b/z', 'b/\xff'],
  );
  const seen: Node[] = [];
  eachName(root, (node) => seen.push(node));
  assert.equal(seen.length, 9);
});

test('links, entries and bytes are counted, each inode once, however often', () => {
  const shared = fileOf(1000);
  const link: Node = { kind: 'symlink', meta, nlink: 7, target: 'x' };
  const root = tree([
    ['a', shared],
    [
      'd',
      tree([
        ['b', shared],
        ['e', directory()],
        ['l', link],
      ]),
    ],
    ['c', shared],
    ['own', fileOf(24)],
    ['m', link],
  ]);
  for (const _ of [1, 2]) {
    const { entries, inodes, bytes } = finish(root);
    assert.deepEqual({ entries, inodes, bytes }, { entries: 9, inodes: 6, bytes: 1024 });
    assert.equal(shared.nlink, 3);
    assert.equal(link.nlink, 2);
    assert.equal(root.nlink, 3);
    assert.equal(root.children.get('d')!.nlink, 3);
  }
});

test('depth costs no stack', () => {
  const root = directory();
  let deepest = root;
  for (let depth = 0; depth < 200_000; depth++) {
    const next = directory();
    deepest.children.set('d', next);
    deepest = next;
  }
  assert.equal(finish(root).entries, 200_001);
});
