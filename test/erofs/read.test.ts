import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeAt } from '../../src/disk/positioned.js';
import { planErofs, readErofs } from '../../src/erofs/erofs.js';
import { ReadBudget } from '../../src/erofs/read/budget.js';
import { superblockSum } from '../../src/erofs/superblock.js';
import { FlattenError } from '../../src/errors.js';
import { flatten, verify } from '../../src/index.js';
import { segmentsOf } from '../../src/layer/content.js';
import type { Rootfs } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';
import { crowd, roll } from '../ext/crowd.js';
import { context, tool } from '../ext/images.js';
import { specimen } from '../ext/specimen.js';
import { fileNode, TreeBuilder } from '../ext/tree-builder.js';
import { listDirectory } from '../support/list-directory.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { Random } from '../support/mutate.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { imageIn, listByReader, treeOf, writeErofs } from './images.js';

const input = join(PROJECT, 'test/images/demo.tar');

test('one of everything is read back', async (t) => {
  const rootfs = specimen(t);
  const image = imageIn(scratch(t));
  await writeErofs(rootfs, image);
  assert.deepEqual(lines(listByReader(image)), lines(listRootfs(rootfs)));
});

test('crowds are read back', async (t) => {
  const rootfs = crowd(t);
  const image = imageIn(scratch(t));
  await writeErofs(rootfs, image);
  assert.deepEqual(roll(treeOf(image)), roll(rootfs));
});

/** What mkfs.erofs is told, and what the image then has. */
const MADE: readonly (readonly [string, readonly string[], (image: Buffer) => boolean])[] = [
  ['inodes in the long form', ['-E', 'force-inode-extended'], (image) => rootFormat(image) % 2 === 1],
  [
    'inodes in the short form',
    ['-E', 'force-inode-compact', '-T', '1700000000'],
    (image) => rootFormat(image) % 2 === 0,
  ],
  [
    'chunks',
    ['--chunksize=4096', '-E', 'force-inode-extended'],
    (image) => (image.readUInt32LE(1024 + 80) & 4) !== 0,
  ],
  [
    'large chunks, with entries of eight bytes',
    ['--chunksize=65536', '-E', 'force-chunk-indexes', '-E', 'force-inode-extended'],
    (image) => (image.readUInt32LE(1024 + 80) & 4) !== 0,
  ],
  [
    'shared xattrs',
    ['-x1', '-E', 'force-inode-extended'],
    (image) => image.indexOf('the same') > 0 && image.indexOf('the same') === image.lastIndexOf('the same'),
  ],
];

/** The format of the root's inode: 1 for the long form, and the layout. */
function rootFormat(image: Buffer): number {
  return image.readUInt16LE(image.readUInt32LE(1024 + 40) * 4096 + image.readUInt16LE(1024 + 14) * 32);
}

for (const [what, options, isAsTold] of MADE) {
  test(`an image of mkfs.erofs: ${what}`, { skip: needs('mkfs.erofs', 'root', 'getfattr') }, async (t) => {
    const directory = scratch(t);
    const [root, image] = [join(directory, 'root'), imageIn(directory)];
    // mkfs.erofs 1.5 fails at names of 255 bytes, and its -T is the time of everything.
    const compact = what.includes('short');
    await flatten({ input, output: `${root}/`, ...(compact && { sourceDateEpoch: 1_700_000_000 }) });
    tool('setfattr', '-n', 'user.label', '-v', 'the same', join(root, 'etc'));
    tool('setfattr', '-n', 'user.label', '-v', 'the same', join(root, 'etc/passwd'));
    tool('truncate', '-s', '300000', join(root, 'hole'));
    tool('mkfs.erofs', ...options, image, root);
    assert.ok(isAsTold(readFileSync(image)), what);
    const listed = listDirectory(root).map((row) =>
      compact ? { ...row, mtime: 1_700_000_000_000_000_000n } : row,
    );
    assert.deepEqual(lines(listByReader(image)), lines(listed));
  });
}

test('compressed images are refused by the name of what is not read', { skip: needs('mkfs.erofs') }, (t) => {
  const directory = scratch(t);
  const root = join(directory, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'file'), 'compressed '.repeat(10_000));
  const image = imageIn(directory);
  tool('mkfs.erofs', '-zlz4', image, root);
  assert.throws(() => treeOf(image), { code: 'UNSUPPORTED', path: 'file', message: /compression/ });
});

test('features that are unknown are refused, each by its name or its bit', async (t) => {
  const image = imageIn(scratch(t));
  await writeErofs(new TreeBuilder(t).finish(), image);
  const bytes = readFileSync(image);
  for (const [bits, says] of [
    [0x80, /block numbers of 48 bits/],
    [0x48, /several devices.*, xattr prefixes/],
    [0x10000, /0x10000$/],
  ] as const) {
    bytes.writeUInt32LE(bits, 1024 + 80);
    writeFileSync(image, bytes);
    assert.throws(() => treeOf(image), { code: 'UNSUPPORTED', message: says });
  }
});

test('a wrong checksum, and a file that is cut short, are damage', async (t) => {
  const image = imageIn(scratch(t));
  await writeErofs(specimen(t), image);
  const bytes = readFileSync(image);
  writeFileSync(image, bytes.subarray(0, -4096));
  assert.throws(() => treeOf(image), { code: 'BAD_IMAGE', message: /ends before/ });
  bytes[1152 + 4]! ^= 1;
  writeFileSync(image, bytes);
  assert.throws(() => treeOf(image), { code: 'BAD_IMAGE', message: /checksum/ });
});

test('no more names are read than are allowed', async (t) => {
  const image = imageIn(scratch(t));
  await writeErofs(specimen(t), image);
  const fd = openSync(image, 'r');
  t.after(() => closeSync(fd));
  assert.throws(() => readErofs(fd, { maxEntries: 100 }), { code: 'LIMIT' });
});

test('flatten and verify read an image back, and say what differs', async (t) => {
  const output = imageIn(scratch(t));
  await flatten({ input, output, verify: true });
  await flatten({ input, output: `${output}.gz`, verify: true });
  assert.deepEqual((await verify({ output, input })).differences, []);
  await flatten({ input, output, force: true, exclude: ['etc/motd'], sourceDateEpoch: 1 });
  const { counts } = await verify({ output, input });
  assert.ok(Object.keys(counts).length > 0, JSON.stringify(counts));
  assert.ok(statSync(output).size > 0);
});

test('a damaged image ends in a tree or in an error', async (t) => {
  const image = imageIn(scratch(t));
  const rootfs = specimen(t);
  await writeErofs(rootfs, image);
  const plan = await planErofs(rootfs, { strict: false }, context());
  await plan.close();
  const { inodeBlocks, directoryBlocks } = plan.image.size;
  const sound = readFileSync(image);
  const fd = openSync(image, 'r+');
  t.after(() => closeSync(fd));
  const ends = { trees: 0, errors: 0 };
  const first = Number(process.env.FLATTEN_SEED ?? 20);
  const rounds = Number(process.env.FLATTEN_RUNS ?? 300);
  for (let seed = first; seed < first + rounds; seed++) {
    const random = new Random(seed);
    const bytes = Buffer.from(sound.subarray(0, (inodeBlocks + directoryBlocks) * 4096));
    for (let left = random.below(6); left >= 0; left--)
      bytes[1024 + random.below(bytes.length - 1024, true)] = random.pick([
        0,
        1,
        0x7f,
        0xff,
        random.below(256),
      ]);
    // Where the sum is right, the damage is looked at.
    if (random.below(8) > 0) bytes.writeUInt32LE(superblockSum(bytes.subarray(0, 4096)), 1024 + 4);
    writeAt(fd, bytes, 0);
    try {
      checkTree(readErofs(fd), sound.length);
      ends.trees++;
    } catch (error) {
      assert.ok(error instanceof FlattenError, `seed ${seed}: ${(error as Error).stack}`);
      ends.errors++;
    }
  }
  assert.ok(ends.trees > 0 && ends.errors > 0, JSON.stringify(ends));
});

/** What holds of every tree: paths are paths, and content lies in the image. */
function checkTree({ root }: Rootfs, size: number): void {
  for (const { path, node } of walk(root)) {
    if (path !== '') assert.match(path, /^(?!.*(^|\/)(\.|\.\.)?(\/|$))[^\0]+$/s, JSON.stringify(path));
    if (node.kind !== 'file') continue;
    let end = 0;
    for (const { start, length, at = node.content.offset } of segmentsOf(node.content)) {
      assert.ok(
        start >= end && length > 0 && at >= 0 && at + length <= size,
        'runs rise, and lie in the image',
      );
      end = start + length;
    }
    assert.ok(end <= node.content.size);
  }
}

test('a table of chunks that is larger than its image is damage', async (t) => {
  const tree = new TreeBuilder(t);
  const holes = { size: 2 ** 30, segments: [0, 2 ** 28, 2 ** 29].map((at) => ({ start: at, length: 4096 })) };
  tree.put('table', fileNode(tree.store(Buffer.alloc(3 * 4096, 'data'), holes)));
  const image = imageIn(scratch(t));
  await writeErofs(tree.finish(), image);
  const bytes = readFileSync(image);
  const at = bytes.indexOf(Buffer.from([0x09, 0, 0, 0, 0xa4, 0x81]), 1152);
  assert.ok(at > 0 && at % 32 === 0, 'the inode in chunks');
  bytes.writeBigUInt64LE(2n ** 50n, at + 8);
  bytes.writeUInt32LE(superblockSum(bytes.subarray(0, 4096)), 1024 + 4);
  writeFileSync(image, bytes);
  assert.throws(() => treeOf(image), { code: 'BAD_IMAGE', path: 'table' });
});

test('what all inodes claim together has a bound', () => {
  const budget = new ReadBudget(100);
  budget.takeBytes(60);
  budget.takeBytes(40);
  assert.throws(() => budget.takeBytes(1), { code: 'BAD_IMAGE', message: /more bytes than there are/ });
  const takeAll = () => {
    for (let runs = 0; runs <= 4_000_000; runs++) budget.takeRun();
  };
  assert.throws(takeAll, { code: 'LIMIT' });
});

test(
  'the time of an inode in the short form counts from the epoch, whenever the image was made',
  {
    skip: needs('mkfs.erofs'),
  },
  (t) => {
    const directory = scratch(t);
    const [root, image] = [join(directory, 'root'), imageIn(directory)];
    mkdirSync(root);
    tool('mkfs.erofs', '-E', 'force-inode-compact', '-T', '1700000000', image, root);
    const bytes = readFileSync(image);
    assert.equal(rootFormat(bytes) % 2, 0);
    // Linux, fs/erofs/inode.c: epoch + i_mtime; the superblock's build_time is of the image.
    const inode = bytes.readUInt32LE(1024 + 40) * 4096 + bytes.readUInt16LE(1024 + 14) * 32;
    bytes.writeUInt32LE(5, inode + 12);
    bytes.writeUInt32LE(1000, 1024 + 108);
    bytes.writeUInt32LE(superblockSum(bytes.subarray(0, 4096)), 1024 + 4);
    writeFileSync(image, bytes);
    assert.equal(treeOf(image).root.meta.mtime, 1_700_000_005_000_000_000n);
  },
);
