import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { ContentReader } from '../../src/layer/content.js';
import { crowd, roll, rollBelow } from '../ext/crowd.js';
import {
  assertSound,
  FORMATS,
  imageIn,
  listByMount,
  listByReader,
  reading,
  tool,
  treeOf,
  whileMounted,
  writeExt,
} from '../ext/images.js';
import { specimen } from '../ext/specimen.js';
import { fileNode, TreeBuilder } from '../ext/tree-builder.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const cannotFormat = needs('mke2fs');
const cannotMount = cannotFormat || needs('root', 'mount', 'getfattr');

for (const format of FORMATS) {
  suite(format, () => {
    test('one of everything is all there', { skip: cannotFormat }, async (t) => {
      const rootfs = specimen(t);
      const image = imageIn(scratch(t), format);
      const artifact = await writeExt(rootfs, image, { format });
      assert.deepEqual(artifact.losses, []);
      assert.equal(artifact.bytes, statSync(image).size);
      assertSound(image);
      assert.deepEqual(lines(listByReader(image)), lines(listRootfs(rootfs)));
    });

    test('one of everything, as the kernel sees it', { skip: cannotMount }, async (t) => {
      const rootfs = specimen(t);
      const image = imageIn(scratch(t), format);
      await writeExt(rootfs, image, { format });
      assert.deepEqual(lines(listByMount(image, format)), lines(listRootfs(rootfs)));
    });
  });
}

test('crowds: 60,000 names, 40,000 subdirectories, 64,000 links', { skip: cannotFormat }, async (t) => {
  const rootfs = crowd(t);
  const image = imageIn(scratch(t), 'ext3');
  const { bytes } = await writeExt(rootfs, image, { format: 'ext3' });
  assertSound(image);
  assert.match(tool('debugfs', '-R', 'htree_dump /many', image), /Indirect levels: 0/);
  assert.match(tool('debugfs', '-R', 'htree_dump /two-levels', image), /Indirect levels: 1/);
  assert.deepEqual(roll(treeOf(image)), roll(rootfs));
  if (!cannotMount) {
    const mounted = whileMounted(image, 'ext3', (directory) => rollBelow(directory, rootfs));
    assert.deepEqual(mounted, roll(rootfs));
  }
  tool('resize2fs', '-M', image);
  assert.equal(statSync(image).size, bytes, 'no smaller image would do');
});

test('a sparse file of 5 GiB takes no more than its runs', { skip: cannotFormat }, async (t) => {
  const size = 5 * 2 ** 30;
  const beyondDouble = (12 + 1024 + 1024 ** 2) * 4096;
  const segments = [
    { start: 7, length: 10 },
    { start: beyondDouble - 1, length: 2 },
    { start: beyondDouble + 4 * 2 ** 20, length: 1 },
    { start: size - 4, length: 4 },
  ];
  const tree = new TreeBuilder(t);
  const content = tree.store(Buffer.from('0123456789ABCDEFG'), { size, segments });
  tree.put('sparse', fileNode(content));
  const rootfs = tree.finish();
  for (const format of FORMATS) {
    const image = imageIn(scratch(t), format);
    await writeExt(rootfs, image, { format });
    assertSound(image);
    assert.ok(statSync(image).size < 10 * 2 ** 20);
    const read = reading(image);
    for (const { start, length } of segments) {
      const from = Math.max(0, start - 100);
      const expected = Buffer.alloc(Math.min(length + 200, size - from));
      new ContentReader().read(content, from, expected);
      assert.deepEqual(read('sparse', from, expected.length), expected);
    }
  }
});

test('an empty tree is a sound image', { skip: cannotFormat }, async (t) => {
  for (const format of FORMATS) {
    const rootfs = new TreeBuilder(t).finish();
    const image = imageIn(scratch(t), format);
    await writeExt(rootfs, image, { format });
    assertSound(image);
    assert.deepEqual(lines(listByReader(image)), lines(listRootfs(rootfs)));
  }
});

test('a name that lost+found has is no obstacle', { skip: cannotFormat }, async (t) => {
  const tree = new TreeBuilder(t);
  tree.file('lost+found', 'a file');
  const image = imageIn(scratch(t), 'ext3');
  await writeExt(tree.finish(), image, { format: 'ext3' });
  assertSound(image);
  assert.deepEqual(lines(listByReader(image)), lines(listRootfs(tree.finish())));
});

test(
  'an existing output stays unless force is given; nothing else is left behind',
  {
    skip: cannotFormat,
  },
  async (t) => {
    const rootfs = new TreeBuilder(t).finish();
    const directory = scratch(t);
    const image = join(directory, 'disk.img');
    writeFileSync(image, 'old');
    await assert.rejects(writeExt(rootfs, image, { format: 'ext3' }), { code: 'OUTPUT_EXISTS' });
    assert.equal(statSync(image).size, 3);
    await writeExt(rootfs, image, { format: 'ext3', force: true });
    assertSound(image);
    assert.deepEqual(readdirSync(directory), ['disk.img']);
  },
);
