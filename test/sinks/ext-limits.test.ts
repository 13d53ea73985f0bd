import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import type { ExtFormat } from '../../src/ext/structures/features.js';
import type { Rootfs } from '../../src/rootfs/node.js';
import { assertSound, imageIn, treeOf, writeExt } from '../ext/images.js';
import { fileNode, TreeBuilder } from '../ext/tree-builder.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const cannotFormat = needs('mke2fs');

/** What is past a limit, how the error names it, and what it says of the limit. */
const BEYOND: readonly (readonly [string, (tree: TreeBuilder) => void, path: string, says: RegExp])[] = [
  ['a name', (tree) => tree.file(`d/${'n'.repeat(256)}`, ''), `d/${'n'.repeat(256)}`, /256.*at most 255/],
  ['a target', (tree) => tree.symlink('d/link', 't'.repeat(4096)), 'd/link', /4096.*at most 4095/],
  ['no target', (tree) => tree.symlink('d/link', ''), 'd/link', /target/],
  ['an owner', (tree) => tree.file('d/f', '', { uid: 2 ** 32 }), 'd/f', /4294967296.*at most 4294967295/],
  ['a major', (tree) => tree.device('d/dev', 'char', 4096, 0), 'd/dev', /4096.*at most 4095/],
  ['a minor', (tree) => tree.device('d/dev', 'char', 0, 2 ** 20), 'd/dev', /1048576.*at most 1048575/],
  ['xattrs', (tree) => tree.file('d/f', '', large(5000)), 'd/f', /xattrs.*4096 bytes/],
  ['links', (tree) => link(tree, 65_001), 'a', /65001.*at most 65000/],
  ['subdirectories', (tree) => subdirectories(tree, 64_999), 'd', /65001.*at most 65000/],
  ['a size', (tree) => hollow(tree, 2 ** 41), 'hollow', /2199023255552.*at most 2194719883264/],
];

function large(length: number) {
  return { xattrs: new Map([['user.large', Buffer.alloc(length)]]) };
}

function link(tree: TreeBuilder, names: number): void {
  const file = tree.file('a', '');
  for (let i = 1; i < names; i++) tree.put(`links/${i}`, file);
}

function subdirectories(tree: TreeBuilder, count: number): void {
  for (let i = 0; i < count; i++) tree.directory(`d/${i}`);
}

function hollow(tree: TreeBuilder, size: number): void {
  tree.put(
    'hollow',
    fileNode(tree.store(Buffer.from('x'), { size, segments: [{ start: size - 1, length: 1 }] })),
  );
}

for (const [what, build, path, says] of BEYOND) {
  test(`past a limit, ${what}: an error that names the file and the limit, and no output`, async (t) => {
    const tree = new TreeBuilder(t);
    build(tree);
    const directory = scratch(t);
    await assert.rejects(writeExt(tree.finish(), imageIn(directory, 'ext3'), { format: 'ext3' }), (error) => {
      assert.ok(error instanceof FlattenError);
      assert.equal(error.code, 'UNSUPPORTED');
      assert.equal(error.path, path);
      assert.match(error.what, says);
      return true;
    });
    assert.deepEqual(readdirSync(directory), []);
  });
}

test('at the limit: 65,000 links, 64,998 subdirectories', { skip: cannotFormat }, async (t) => {
  const tree = new TreeBuilder(t);
  link(tree, 65_000);
  subdirectories(tree, 64_998);
  await assertWritten(tree.finish(), imageIn(scratch(t), 'ext3'), 'ext3');
});

test('ext4 has no limit on subdirectories, and larger files', { skip: cannotFormat }, async (t) => {
  const tree = new TreeBuilder(t);
  subdirectories(tree, 66_000);
  hollow(tree, 2 ** 41);
  await assertWritten(tree.finish(), imageIn(scratch(t), 'ext4'), 'ext4');
});

async function assertWritten(rootfs: Rootfs, image: string, format: ExtFormat): Promise<void> {
  await writeExt(rootfs, image, { format });
  assertSound(image);
  assert.equal(treeOf(image).entries, rootfs.entries + 1);
}

test(
  'what the format has no place for is counted, and refused when strict',
  {
    skip: cannotFormat,
  },
  async (t) => {
    const tree = new TreeBuilder(t);
    const xattrs = new Map([
      ['user.kept', Buffer.from('yes')],
      ['com.apple.quarantine', Buffer.from('no')],
      ['system.posix_acl_access', Buffer.from('not an ACL')],
      ['user.', Buffer.from('no name')],
    ]);
    tree.file('b', '', { xattrs });
    tree.file('c', '', { mtime: 2n ** 34n * 1_000_000_000n });
    tree.file('a', '', { mtime: -(2n ** 33n) * 1_000_000_000n });
    const rootfs = tree.finish();
    const image = imageIn(scratch(t), 'ext3');
    const { losses } = await writeExt(rootfs, image, { format: 'ext3' });
    assert.deepEqual(
      losses.map(({ kind, count, example }) => ({ kind, count, example })),
      [
        { kind: 'mtime', count: 2, example: 'a' },
        { kind: 'xattr', count: 3, example: 'b' },
      ],
    );
    assertSound(image);
    const { children } = treeOf(image).root;
    assert.deepEqual([...children.get('b')!.meta.xattrs], [['user.kept', Buffer.from('yes')]]);
    assert.equal(children.get('a')!.meta.mtime, -(2n ** 31n) * 1_000_000_000n);
    await assert.rejects(writeExt(rootfs, image, { format: 'ext3', force: true, strict: true }), {
      code: 'LOSS',
    });
  },
);
