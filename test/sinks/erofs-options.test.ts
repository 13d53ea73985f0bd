import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { disk, flatten, openImage, planDisk } from '../../src/index.js';
import { assertSound, imageIn, writeErofs } from '../erofs/images.js';
import { tool } from '../ext/images.js';
import { specimen } from '../ext/specimen.js';
import { TreeBuilder } from '../ext/tree-builder.js';
import { sha256 } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const input = join(PROJECT, 'test/images/demo.tar');
const digestOf = (path: string) => sha256(readFileSync(path));

test('the plan is the size that the image comes to, and its lines add up', async (t) => {
  const output = imageIn(scratch(t));
  const { bytes, blocks, lines, inodes } = await planDisk({ input, output });
  await flatten({ input, output });
  assert.equal(statSync(output).size, bytes);
  assert.equal(bytes, blocks * 4096);
  const counts = lines.slice(1).map((line) => Number.parseInt(line, 10));
  assert.equal(counts.at(-1), inodes);
  assert.equal(counts.at(-2), blocks);
  assert.equal(
    counts.slice(0, -2).reduce((sum, count) => sum + count),
    blocks,
  );
});

for (const [ending, program] of [
  ['gz', 'gzip'],
  ['zst', 'zstd'],
] as const) {
  test(`disk.erofs.${ending} holds disk.erofs`, { skip: needs(program) }, async (t) => {
    const directory = scratch(t);
    const output = imageIn(directory);
    await flatten({ input, output });
    await flatten({ input, output: `${output}.${ending}` });
    const plain = execFileSync(program, ['-dc', `${output}.${ending}`], { maxBuffer: 1 << 26 });
    assert.ok(plain.equals(readFileSync(output)));
    assert.deepEqual(readdirSync(directory), ['disk.erofs', `disk.erofs.${ending}`]);
  });
}

test('by its name, by its format, and through the library it is the same image', async (t) => {
  const directory = scratch(t);
  const [byName, byFormat, byLibrary] = ['a.erofs', 'b.img', 'c.erofs'].map((name) => join(directory, name));
  await flatten({ input, output: byName! });
  await flatten({ input, output: byFormat!, format: 'erofs' });
  const image = await openImage(input);
  const tree = await image.tree();
  await tree.writeTo(disk(byLibrary!));
  await tree.close();
  await image.close();
  assert.equal(digestOf(byFormat!), digestOf(byName!));
  assert.equal(digestOf(byLibrary!), digestOf(byName!));
});

test('options of file systems that are written to are refused, by name', async (t) => {
  const directory = scratch(t);
  const output = imageIn(directory);
  for (const given of [
    { size: 2 ** 30 },
    { free: 2 ** 20 },
    { freeInodes: 5 },
    { journal: 'none' as const },
    { reserved: 1 },
  ]) {
    const [name] = Object.keys(given);
    await assert.rejects(flatten({ input, output, disk: { label: 'kept', ...given } }), {
      code: 'USAGE',
      message: new RegExp(`^\\{${name}\\}: only for ext2, ext3 and ext4`),
    });
  }
  assert.throws(() => disk(output, { size: 5 }), { code: 'USAGE' });
  await flatten({ input, output, disk: { label: 'kept' } });
});

test('a label of more than 15 bytes and a broken UUID are refused', async (t) => {
  const directory = scratch(t);
  const rootfs = new TreeBuilder(t).finish();
  for (const bad of [{ label: 'sixteen bytes !!' }, { label: 'éééééééé' }, { uuid: '1234' }])
    await assert.rejects(writeErofs(rootfs, imageIn(directory), bad), { code: 'USAGE' });
  assert.deepEqual(readdirSync(directory), []);
});

test('the same bytes every time, with a UUID that is the content', { skip: needs('blkid') }, async (t) => {
  const directory = scratch(t);
  const uuidOf = async (content: string, mtime: bigint) => {
    const tree = new TreeBuilder(t);
    tree.file('name', content, { mtime });
    const path = imageIn(directory);
    await writeErofs(tree.finish(), path, { force: true });
    return /UUID="(\S+)"/.exec(tool('blkid', '-p', path))![1];
  };
  const uuids = [await uuidOf('a', 1n), await uuidOf('b', 1n), await uuidOf('a', 2n)];
  assert.equal(new Set(uuids).size, 3);
  assert.equal(await uuidOf('a', 1n), uuids[0]);
  const [first, second] = [join(directory, '1.erofs'), join(directory, '2.erofs')];
  for (const path of [first, second]) await writeErofs(specimen(t), path);
  assert.equal(digestOf(second), digestOf(first));
});

/** What is past a limit, and how the error names it. */
const BEYOND: readonly (readonly [string, (tree: TreeBuilder) => void, path: string, says: RegExp])[] = [
  ['a name', (tree) => tree.file(`d/${'n'.repeat(256)}`, ''), `d/${'n'.repeat(256)}`, /256.*at most 255/],
  ['a target', (tree) => tree.symlink('d/link', 't'.repeat(4096)), 'd/link', /4096.*at most 4095/],
  ['no target', (tree) => tree.symlink('d/link', ''), 'd/link', /target/],
  ['an owner', (tree) => tree.file('d/f', '', { uid: 2 ** 32 }), 'd/f', /4294967296.*at most 4294967295/],
  ['a major', (tree) => tree.device('d/dev', 'char', 4096, 0), 'd/dev', /4096.*at most 4095/],
  ['a minor', (tree) => tree.device('d/dev', 'char', 0, 2 ** 20), 'd/dev', /1048576.*at most 1048575/],
  ['an xattr', (tree) => tree.file('d/f', '', xattrs(65_536, 1)), 'd/f', /65536.*at most 65535/],
  ['xattrs', (tree) => tree.file('d/f', '', xattrs(65_000, 5)), 'd/f', /xattrs: 325.*at most 262148/],
];

function xattrs(length: number, count: number) {
  const names = Array.from({ length: count }, (_, i) => `user.${i}`);
  return { xattrs: new Map(names.map((name) => [name, Buffer.alloc(length)])) };
}

for (const [what, build, path, says] of BEYOND) {
  test(`past a limit, ${what}: an error that names the file and the limit, and no output`, async (t) => {
    const tree = new TreeBuilder(t);
    build(tree);
    const directory = scratch(t);
    await assert.rejects(writeErofs(tree.finish(), imageIn(directory)), {
      code: 'UNSUPPORTED',
      path,
      what: says,
    });
    assert.deepEqual(readdirSync(directory), []);
  });
}

test(
  'what the format has no place for is counted, and refused when strict',
  { skip: needs('fsck.erofs') },
  async (t) => {
    const tree = new TreeBuilder(t);
    tree.file('b', '', {
      xattrs: new Map([
        ['user.kept', Buffer.from('yes')],
        ['com.apple.quarantine', Buffer.from('no')],
        ['system.posix_acl_access', Buffer.from('not an ACL')],
        ['user.', Buffer.from('no name')],
      ]),
    });
    tree.file('c', '', { mtime: 2n ** 64n * 1_000_000_000n });
    const rootfs = tree.finish();
    const image = imageIn(scratch(t));
    const { losses } = await writeErofs(rootfs, image);
    assert.deepEqual(
      losses.map(({ kind, count, example }) => ({ kind, count, example })),
      [
        { kind: 'mtime', count: 1, example: 'c' },
        { kind: 'xattr', count: 3, example: 'b' },
      ],
    );
    assertSound(image);
    await assert.rejects(writeErofs(rootfs, image, { force: true, strict: true }), { code: 'LOSS' });
  },
);
