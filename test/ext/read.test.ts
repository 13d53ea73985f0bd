import assert from 'node:assert/strict';
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeAt } from '../../src/disk/positioned.js';
import { FlattenError } from '../../src/errors.js';
import { readExt } from '../../src/ext/read.js';
import { listDirectory } from '../support/list-directory.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { imageIn, tool, treeOf, writeExt } from './images.js';
import { specimen } from './specimen.js';
import { TreeBuilder } from './tree-builder.js';

/** Formats as others choose them. */
const STOCK: Readonly<Record<string, readonly string[]>> = {
  'ext2 of 1 KiB blocks and 128-byte inodes': ['-t', 'ext2', '-b', '1024', '-I', '128'],
  'ext3 of 2 KiB blocks': ['-t', 'ext3', '-b', '2048'],
  'ext4 as it comes: 64 bits, checksums, flexible groups': ['-t', 'ext4'],
  'ext4 of 1 KiB blocks': ['-t', 'ext4', '-b', '1024'],
};

for (const [what, options] of Object.entries(STOCK)) {
  test(`reads ${what}`, { skip: needs('mke2fs', 'root', 'getfattr', 'setfattr') }, (t) => {
    const directory = join(scratch(t), 'tree');
    mkdirSync(join(directory, 'a/b'), { recursive: true });
    writeFileSync(join(directory, 'a/large'), Buffer.alloc(3_000_000, 'large'));
    writeFileSync(join(directory, 'a/b/small'), 'small');
    writeFileSync(join(directory, 'a/b/zeros'), Buffer.alloc(300_000));
    for (let i = 0; i < 2_000; i++)
      writeFileSync(join(directory, `a/file-of-a-hashed-directory-${i}`), `${i}`);
    tool('ln', join(directory, 'a/large'), join(directory, 'hard'));
    tool('ln', '-s', 't'.repeat(100), join(directory, 'symlink'));
    tool('mknod', join(directory, 'device'), 'b', '259', '70000');
    tool('setfattr', '-n', 'user.note', '-v', 'n'.repeat(120), join(directory, 'a/b/small'));
    tool(
      'touch',
      '-d',
      '2020-01-02 03:04:05',
      ...['.', 'a', 'a/b', 'a/large'].map((path) => join(directory, path)),
    );
    const image = imageIn(scratch(t), 'ext4');
    tool('mke2fs', '-q', ...options, '-d', directory, '-N', '4000', image, '32M');
    const fd = openSync(image, 'r');
    t.after(() => closeSync(fd));
    const found = listRootfs(readExt(fd)).filter(({ path }) => path !== 'lost+found');
    assert.deepEqual(comparable(lines(found)), comparable(lines(listDirectory(directory))));
  });
}

/** mke2fs -d drops nanoseconds, and the root's time. */
function comparable(rows: readonly string[]): string[] {
  return rows.map((line) => (line.startsWith('.\t') ? '.' : line.replace(/\.\d{9}\t/, '\t')));
}

test('what is no ext file system, or is cut short, is told', (t) => {
  const file = join(scratch(t), 'file');
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(2_000), Buffer.alloc(10_000, 'x')]) {
    writeFileSync(file, bytes);
    assert.throws(() => treeOf(file), { code: 'BAD_IMAGE' });
  }
});

test(
  'a journal that must be replayed, and features we do not know, are told',
  {
    skip: needs('mke2fs'),
  },
  async (t) => {
    const image = imageIn(scratch(t), 'ext3');
    await writeExt(new TreeBuilder(t).finish(), image, { format: 'ext3' });
    tool('debugfs', '-w', '-R', 'feature needs_recovery', image);
    assert.throws(() => treeOf(image), { code: 'UNSUPPORTED', what: /journal/ });
    tool('mke2fs', '-q', '-F', '-t', 'ext4', '-O', 'inline_data', image);
    assert.throws(() => treeOf(image), { code: 'UNSUPPORTED', what: /incompat 0x8000/ });
  },
);

test('a socket is what a tree cannot hold', { skip: needs('mke2fs') }, async (t) => {
  const image = imageIn(scratch(t), 'ext3');
  const tree = new TreeBuilder(t);
  tree.fifo('run/socket');
  await writeExt(tree.finish(), image, { format: 'ext3' });
  tool('debugfs', '-w', '-R', 'set_inode_field /run/socket mode 0140644', image);
  assert.throws(() => treeOf(image), { code: 'UNSUPPORTED', path: 'run/socket' });
});

test('too many names are a limit', { skip: needs('mke2fs') }, async (t) => {
  const image = imageIn(scratch(t), 'ext3');
  const tree = new TreeBuilder(t);
  for (let i = 0; i < 20; i++) tree.fifo(`f${i}`);
  await writeExt(tree.finish(), image, { format: 'ext3' });
  const fd = openSync(image, 'r');
  t.after(() => closeSync(fd));
  assert.throws(() => readExt(fd, { maxEntries: 20 }), { code: 'LIMIT' });
  assert.equal(readExt(fd, { maxEntries: 21 }).entries, 22);
});

for (const format of ['ext3', 'ext4'] as const) {
  test(`a damaged ${format} ends in a tree or in an error`, { skip: needs('mke2fs') }, async (t) => {
    const image = imageIn(scratch(t), format);
    await writeExt(specimen(t), image, { format });
    const sound = readFileSync(image);
    const where = structures(image, sound);
    const random = generator(Number(process.env.FLATTEN_SEED ?? 20));
    const fd = openSync(image, 'r+');
    t.after(() => closeSync(fd));
    const rounds = Number(process.env.FLATTEN_RUNS ?? 150);
    let errors = 0;
    for (let round = 0; round < rounds; round++) {
      const places = Array.from(
        { length: 1 + (round % 6) },
        () => where[random(where.length)]! + random(4096),
      );
      for (const at of places) writeAt(fd, Buffer.of(random(3) === 0 ? 0xff : random(256)), at);
      try {
        readExt(fd);
      } catch (error) {
        assert.ok(error instanceof FlattenError, (error as Error).stack);
        errors++;
      }
      for (const at of places) writeAt(fd, sound.subarray(at, at + 1), at);
    }
    assert.ok(errors > 0, 'the damage was felt');
  });
}

/** Where superblock, descriptors, inode tables and directories lie: block by block. */
function structures(image: string, bytes: Buffer): number[] {
  const blocks = [0, 1];
  for (let group = 0; group * 32_768 * 4096 < bytes.length; group++) {
    const table = bytes.readUInt32LE(4096 + group * 32 + 8);
    for (let i = 0; i < 12; i++) blocks.push(table + i);
  }
  const stat =
    tool('debugfs', '-R', 'blocks /', image) + tool('debugfs', '-R', 'blocks /xattrs/shared', image);
  for (const block of stat.match(/\d+/g)!) blocks.push(Number(block));
  return blocks.map((block) => block * 4096);
}

/** The same numbers every time (Lehmer's generator). */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % below;
  };
}
