import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ContentReader } from '../../src/layer/content.js';
import type { Content } from '../../src/rootfs/node.js';
import { assertSound, imageIn, listByMount, readMounted, whileMounted, writeErofs } from '../erofs/images.js';
import { crowd, roll, rollBelow } from '../ext/crowd.js';
import { tool } from '../ext/images.js';
import { ACL, specimen } from '../ext/specimen.js';
import { fileNode, TreeBuilder } from '../ext/tree-builder.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const cannotJudge = needs('fsck.erofs');
const cannotMount = cannotJudge || needs('root', 'mount', 'getfattr');
const MEBIBYTE = 2 ** 20;

test('one of everything, as fsck.erofs sees it', { skip: cannotJudge }, async (t) => {
  const image = imageIn(scratch(t));
  const artifact = await writeErofs(specimen(t), image);
  assert.deepEqual(artifact.losses, []);
  assert.equal(artifact.bytes, statSync(image).size);
  assertSound(image);
});

test('one of everything, as the kernel sees it', { skip: cannotMount }, async (t) => {
  const rootfs = specimen(t);
  const image = imageIn(scratch(t));
  await writeErofs(rootfs, image);
  assert.deepEqual(lines(listByMount(image)), lines(listRootfs(rootfs)));
});

test(
  'what ext does not hold: large xattrs, many of them, and times of any year',
  { skip: cannotMount },
  async (t) => {
    const tree = new TreeBuilder(t);
    const about = (size: number, count = 1) => ({
      xattrs: new Map(
        Array.from({ length: count }, (_, i) => [`user.${i}`, Buffer.alloc(size, `${size} ${i} `)] as const),
      ),
    });
    tree.file('value', 'content', about(65_535));
    tree.file('many', 'content'.repeat(1000), about(500, 80));
    tree.file('several-large', 'content', about(40_000, 6));
    tree.file('whole-blocks', 'c', about(4096 * 3 - 64 - 12 - 4 - 1));
    tree.symlink('link', 'target', { xattrs: new Map([['trusted.t', Buffer.alloc(4000, 't')]]) });
    tree.directory('directory', about(9000, 3));
    tree.root.meta = { ...tree.root.meta, ...about(3000, 2) };
    for (const [name, seconds] of [
      ['1697', -8_600_000_000n],
      ['2500', 16_725_225_600n],
      ['ages', 2n ** 50n],
    ] as const)
      tree.file(name, '', { mtime: seconds * 1_000_000_000n + 500_000_001n });
    const rootfs = tree.finish();
    const image = imageIn(scratch(t));
    assert.deepEqual((await writeErofs(rootfs, image)).losses, []);
    assertSound(image);
    assert.deepEqual(lines(listByMount(image)), lines(listRootfs(rootfs)));
  },
);

test(
  'names that sort before the dots, and of all lengths, are found by name',
  { skip: cannotMount },
  async (t) => {
    const tree = new TreeBuilder(t);
    for (const name of ['!a', '-b', '...', '..b', '.a', 'z', ' ', '\x01', '\xff\xfe'])
      tree.fifo(`odd/${name}`);
    for (let length = 1; length <= 255; length++) tree.fifo(`long/${'n'.repeat(length)}`);
    // Names of 84 bytes: blocks end just where a name does.
    for (let i = 0; i < 500; i++) tree.fifo(`exact/${String(i).padStart(84, '0')}`);
    const rootfs = tree.finish();
    const image = imageIn(scratch(t));
    await writeErofs(rootfs, image);
    assertSound(image);
    const mounted = whileMounted(image, (directory) => {
      assert.equal(readdirSync(join(directory, 'long')).length, 255);
      assert.equal(readdirSync(join(directory, 'exact')).length, 500);
      return rollBelow(directory, rootfs);
    });
    assert.deepEqual(mounted, roll(rootfs));
  },
);

test('crowds: 60,000 names, 40,000 subdirectories, 64,000 links', { skip: cannotMount }, async (t) => {
  const rootfs = crowd(t);
  const image = imageIn(scratch(t));
  await writeErofs(rootfs, image);
  assert.equal(tool('fsck.erofs', '-d1', image), '');
  const mounted = whileMounted(image, (directory) => rollBelow(directory, rootfs));
  assert.deepEqual(mounted, roll(rootfs));
});

test(
  'files with holes, of up to a tebibyte, take no more than what is in them',
  { skip: cannotMount },
  async (t) => {
    const tree = new TreeBuilder(t);
    const hollow = (size: number, starts: readonly number[]): Content =>
      tree.store(Buffer.alloc(starts.length * 10, 'in a file '), {
        size,
        segments: starts.map((start) => ({ start, length: 10 })),
      });
    const contents: Record<string, Content> = {
      'five-gibibytes': hollow(5 * 2 ** 30, [7, 4 * 2 ** 30 - 5, 5 * 2 ** 30 - 10]),
      tebibyte: hollow(2 ** 40, [2 ** 39 + 4096]),
      'all-hole': tree.store(Buffer.alloc(0), { size: 2 ** 40 + 1, segments: [] }),
      'ends-in-data': hollow(MEBIBYTE + 5000, [MEBIBYTE + 4990]),
      'ends-in-hole': hollow(MEBIBYTE + 5000, [0]),
    };
    for (const [name, content] of Object.entries(contents)) tree.put(name, fileNode(content));
    const image = imageIn(scratch(t));
    const { bytes } = await writeErofs(tree.finish(), image);
    assert.ok(bytes < 12 * MEBIBYTE, `${bytes} bytes`);
    assert.equal(tool('fsck.erofs', '-d1', image), '');
    for (const [name, content] of Object.entries(contents)) {
      const { size, segments = [] } = content;
      for (const start of [0, ...segments.map((segment) => Math.max(0, segment.start - 100)), size - 200]) {
        const expected = Buffer.alloc(200);
        new ContentReader().read(content, Math.min(start, size - 200), expected);
        const read = readMounted(image, name, Math.min(start, size - 200), 200);
        assert.deepEqual(read, { size, bytes: expected }, `${name} at ${start}`);
      }
    }
  },
);

test('the same content is stored once', { skip: cannotMount }, async (t) => {
  const tree = new TreeBuilder(t);
  const large = Buffer.alloc(MEBIBYTE + 1500, 'the same in every file, ');
  const small = Buffer.alloc(3000, 'small and the same, ');
  const holey = Buffer.concat([small, Buffer.alloc(MEBIBYTE), large]);
  for (let i = 0; i < 8; i++) {
    tree.file(`large/${i}`, large, { uid: i });
    tree.file(`small/${i}`, small, { mtime: BigInt(i) });
    tree.file(`holey/${i}`, holey);
  }
  // Of equal size, and in their ends alone not the same.
  tree.file('other', Buffer.concat([large.subarray(0, -1), Buffer.from('!')]));
  const rootfs = tree.finish();
  const image = imageIn(scratch(t));
  const { bytes } = await writeErofs(rootfs, image);
  assert.ok(bytes < 3 * large.length + 16 * 4096, `${bytes} bytes`);
  assertSound(image);
  assert.deepEqual(lines(listByMount(image)), lines(listRootfs(rootfs)));
});

test('ACLs hold for those who are named in them', { skip: cannotMount || needs('setpriv') }, async (t) => {
  const tree = new TreeBuilder(t);
  tree.file('secret', 'for one', {
    mode: 0o770,
    uid: 5,
    gid: 5,
    xattrs: new Map([['system.posix_acl_access', ACL]]),
  });
  const image = imageIn(scratch(t));
  await writeErofs(tree.finish(), image);
  const catAs = (directory: string, uid: number) =>
    tool(
      'sh',
      '-c',
      `setpriv --reuid=${uid} --regid=${uid} --clear-groups cat ${directory}/secret 2>&1 || true`,
    );
  whileMounted(image, (directory) => {
    tool('chmod', '755', join(directory, '..'));
    assert.equal(catAs(directory, 1_234_567), 'for one');
    assert.match(catAs(directory, 1_234_568), /Permission denied/);
  });
});

test('an empty tree is a sound image', { skip: cannotMount }, async (t) => {
  const rootfs = new TreeBuilder(t).finish();
  const image = imageIn(scratch(t));
  const { bytes } = await writeErofs(rootfs, image);
  assert.equal(bytes, 4096);
  assertSound(image);
  assert.deepEqual(lines(listByMount(image)), lines(listRootfs(rootfs)));
});

test('label, UUID and time are what was asked for', { skip: cannotJudge || needs('blkid') }, async (t) => {
  const image = imageIn(scratch(t));
  const uuid = '01234567-89AB-4def-8123-456789abcdef';
  await writeErofs(specimen(t), image, { label: 'fifteen bytes !', uuid, time: 1_700_000_000 });
  const told = tool('blkid', '-p', image);
  assert.match(told, /LABEL="fifteen bytes !"/);
  assert.match(told, /UUID="01234567-89ab-4def-8123-456789abcdef"/);
  assert.match(tool('dump.erofs', '-s', image), /created: *Tue Nov 14 .* 2023/);
});

test('an existing output stays unless force is given; nothing else is left behind', async (t) => {
  const rootfs = new TreeBuilder(t).finish();
  const directory = scratch(t);
  const image = imageIn(directory);
  writeFileSync(image, 'old');
  await assert.rejects(writeErofs(rootfs, image), { code: 'OUTPUT_EXISTS' });
  assert.equal(readFileSync(image, 'latin1'), 'old');
  await writeErofs(rootfs, image, { force: true });
  assert.equal(lstatSync(image).size, 4096);
  assert.deepEqual(readdirSync(directory), ['disk.erofs']);
});
