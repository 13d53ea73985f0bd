import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, type StatsFs, statfsSync, statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { FlattenError } from '../../src/errors.js';
import { assertSound, FORMATS, imageIn, tool, writeExt } from '../ext/images.js';
import { specimen } from '../ext/specimen.js';
import { TreeBuilder } from '../ext/tree-builder.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const skip = needs('mke2fs');
const MEBIBYTE = 2 ** 20;

/** What dumpe2fs says of an image, by its own words. */
function facts(image: string): (name: string) => string | undefined {
  const said = tool('dumpe2fs', '-h', image);
  return (name) => new RegExp(`^${name}: *(.*)$`, 'm').exec(said)?.[1]?.trim();
}

test('a size: the rest is free, for blocks and inodes', { skip }, async (t) => {
  const rootfs = specimen(t);
  for (const size of [64 * MEBIBYTE, 200 * MEBIBYTE + 12_345, 129 * MEBIBYTE, 1024 * MEBIBYTE]) {
    const image = imageIn(scratch(t), 'ext3');
    await writeExt(rootfs, image, { format: 'ext3', size });
    assert.equal(statSync(image).size, size);
    assertSound(image);
    const fact = facts(image);
    assert.ok(Number(fact('Free blocks')) > size / 4096 / 2);
    assert.ok(Number(fact('Free inodes')) >= Math.floor(Number(fact('Free blocks')) / 4.1));
  }
});

test('a size that is too small: an error with one that would do', { skip }, async (t) => {
  const rootfs = specimen(t);
  const image = imageIn(scratch(t), 'ext3');
  let least = 0;
  await assert.rejects(writeExt(rootfs, image, { format: 'ext3', size: MEBIBYTE }), (error) => {
    assert.ok(error instanceof FlattenError);
    assert.equal(error.code, 'LIMIT');
    least = Number(/needs ([\d,]+) bytes/.exec(error.message)![1]!.replaceAll(',', ''));
    return true;
  });
  await assert.rejects(writeExt(rootfs, image, { format: 'ext3', size: least - 1 }), { code: 'LIMIT' });
  await writeExt(rootfs, image, { format: 'ext3', size: least });
  assertSound(image);
});

test('free room, free inodes, reserved blocks', { skip }, async (t) => {
  const image = imageIn(scratch(t), 'ext4');
  const free = 64 * MEBIBYTE;
  await writeExt(specimen(t), image, { format: 'ext4', free, freeInodes: 5000, reserved: 5 });
  assertSound(image);
  const fact = facts(image);
  const [blocks, reserved] = [Number(fact('Block count')), Number(fact('Reserved block count'))];
  assert.equal(reserved, Math.floor(blocks / 20));
  const keptByLinux = Math.floor(blocks / 50);
  const room = Number(fact('Free blocks')) - reserved - keptByLinux;
  assert.ok(room >= free / 4096 && room < free / 4096 + 50, `${room} blocks are free`);
  assert.ok(Number(fact('Free inodes')) >= 5000);
});

test('a share of the blocks is free, beyond what is reserved', { skip }, async (t) => {
  for (const [format, percent, reserved] of [
    ['ext3', 10, 0],
    ['ext2', 33.3, 5],
    ['ext4', 90, 5],
    ['ext4', 45, 50],
  ] as const) {
    const image = imageIn(scratch(t), format);
    await writeExt(specimen(t), image, { format, free: { percent }, reserved });
    assertSound(image);
    const fact = facts(image);
    const blocks = Number(fact('Block count'));
    const room = Number(fact('Free blocks')) - Number(fact('Reserved block count'));
    assert.ok(room >= (blocks * percent) / 100, `${room} of ${blocks} blocks are free: ${percent}%`);
    // Where the share is what counts, the image is no larger than that takes.
    if (percent === 90) assert.ok(room < (blocks * (percent + 3)) / 100, `${room} of ${blocks}`);
  }
});

test(
  'what was asked for is free where the image is mounted',
  { skip: skip || needs('root', 'mount') },
  async (t) => {
    const rootfs = specimen(t);
    for (const format of FORMATS) {
      for (const [free, reserved] of [
        [64 * MEBIBYTE, 0],
        [64 * MEBIBYTE, 5],
        [{ percent: 10 }, 0],
        [{ percent: 60 }, 5],
        [{ percent: 90 }, 2.5],
      ] as const) {
        const image = imageIn(scratch(t), format);
        await writeExt(rootfs, image, { format, free, reserved });
        const fact = facts(image);
        const blocks = Number(fact('Block count'));
        const wanted = typeof free === 'number' ? free / 4096 : Math.ceil((blocks * free.percent) / 100);
        assert.equal(Number(fact('Reserved block count')), Math.floor((blocks * reserved) / 100));
        const { bavail, bfree, bsize, blocks: shown } = mounted(image, t);
        assert.equal(bsize, 4096);
        const what = `${format} ${JSON.stringify({ free, reserved })}: ${bavail} of ${blocks} blocks, ${wanted} wanted`;
        assert.ok(bavail >= wanted, what);
        assert.ok(bfree - bavail >= Number(fact('Reserved block count')), what);
        // As df has it: the share of a size that leaves out the tables is no smaller.
        if (typeof free === 'object') assert.ok((100 * bavail) / shown >= free.percent, what);
      }
    }
  },
);

/** What the kernel says of an image that it has mounted. */
function mounted(image: string, t: TestContext): StatsFs {
  const directory = scratch(t);
  execFileSync('mount', ['-o', 'loop', image, directory]);
  try {
    return statfsSync(directory);
  } finally {
    execFileSync('umount', [directory]);
  }
}

test('label, UUID and time are as told', { skip }, async (t) => {
  const image = imageIn(scratch(t), 'ext3');
  const uuid = '01234567-89ab-cdef-0123-456789abcdef';
  await writeExt(new TreeBuilder(t).finish(), image, {
    format: 'ext3',
    label: 'root & rest',
    uuid: uuid.toUpperCase(),
    time: 1_700_000_000,
  });
  assertSound(image);
  const fact = facts(image);
  assert.equal(fact('Filesystem volume name'), 'root & rest');
  assert.equal(fact('Filesystem UUID'), uuid);
  assert.equal(fact('Directory Hash Seed'), uuid);
  assert.match(fact('Filesystem created')!, /Nov 14 .*2023/);
  assert.equal(fact('Maximum mount count'), '-1');
  assert.match(fact('Check interval')!, /^0 /);
});

test('a journal: larger, or none', { skip }, async (t) => {
  const rootfs = new TreeBuilder(t).finish();
  const image = imageIn(scratch(t), 'ext4');
  await writeExt(rootfs, image, { format: 'ext4', journal: 17.5 * MEBIBYTE });
  assertSound(image);
  assert.equal(facts(image)('Total journal size'), '18M');
  await writeExt(rootfs, image, { format: 'ext4', journal: 'none', force: true });
  assertSound(image);
  assert.doesNotMatch(facts(image)('Filesystem features')!, /has_journal/);
});

test('features are those we chose', { skip }, async (t) => {
  const base = 'ext_attr dir_index filetype sparse_super large_file';
  const expected = {
    ext2: base,
    ext3: `has_journal ${base}`,
    ext4: 'has_journal ext_attr dir_index filetype extent sparse_super large_file huge_file dir_nlink extra_isize',
  };
  for (const format of FORMATS) {
    const image = imageIn(scratch(t), format);
    await writeExt(new TreeBuilder(t).finish(), image, { format });
    assert.equal(facts(image)('Filesystem features'), expected[format]);
    assert.equal(facts(image)('Filesystem flags'), 'signed_directory_hash');
  }
});

test('the digest is that of the file', { skip }, async (t) => {
  const image = imageIn(scratch(t), 'ext3');
  const { digest } = await writeExt(specimen(t), image, { format: 'ext3', digest: true });
  assert.equal(digest, `sha256:${createHash('sha256').update(readFileSync(image)).digest('hex')}`);
});

test('options that make no sense are usage errors', async (t) => {
  const rootfs = new TreeBuilder(t).finish();
  const image = imageIn(scratch(t), 'ext3');
  for (const wrong of [
    { format: 'ext3', journal: 'none' },
    { format: 'ext2', journal: 8 * MEBIBYTE },
    { format: 'ext3', journal: MEBIBYTE },
    { format: 'ext3', size: MEBIBYTE, free: MEBIBYTE },
    { format: 'ext3', free: -1 },
    { format: 'ext3', reserved: 51 },
    { format: 'ext3', free: { percent: 91 } },
    { format: 'ext3', free: { percent: -1 } },
    { format: 'ext3', free: { percent: Number.NaN } },
    { format: 'ext3', size: { percent: 10 } as unknown as number },
    { format: 'ext3', freeInodes: { percent: 10 } as unknown as number },
    { format: 'ext3', free: { percent: 60 }, reserved: 36 },
    { format: 'ext3', label: 'seventeen bytes..' },
    { format: 'ext3', uuid: 'no' },
    { format: 'ext3', time: 2 ** 32 },
  ] as const) {
    await assert.rejects(writeExt(rootfs, image, wrong), { code: 'USAGE' }, JSON.stringify(wrong));
  }
});
