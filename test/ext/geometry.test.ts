import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Demand } from '../../src/ext/census.js';
import { formatImage } from '../../src/ext/format.js';
import { type Geometry, planGeometry } from '../../src/ext/geometry.js';
import { planLines } from '../../src/ext/plan-lines.js';
import { readFormatted } from '../../src/ext/populate/formatted.js';
import { countClear } from '../../src/ext/populate/space.js';
import type { SizeOptions } from '../../src/ext/size-options.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { runs } from '../support/stacks.js';

const format = fc.constantFrom('ext2', 'ext3', 'ext4');

/** From a handful of files to a few GiB, also with many more inodes than blocks. */
const demand: fc.Arbitrary<Demand> = fc.record({
  inodes: fc.oneof(fc.integer({ min: 11, max: 400 }), fc.integer({ min: 11, max: 200_000 })),
  directoryBlocks: fc.integer({ min: 2, max: 5_000 }),
  symlinkBlocks: fc.integer({ min: 0, max: 50 }),
  xattrBlocks: fc.integer({ min: 0, max: 50 }),
  fileBlocks: fc.oneof(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 0, max: 1_000_000 })),
  mapBlocks: fc.integer({ min: 0, max: 1_000 }),
});

const extras = fc.record(
  {
    free: fc.oneof(
      fc.integer({ min: 0, max: 2 ** 29 }),
      fc.record({ percent: fc.double({ min: 0, max: 60, noNaN: true }) }),
    ),
    freeInodes: fc.integer({ min: 0, max: 100_000 }),
    reserved: fc.constantFrom(0, 1, 5, 7.5),
  },
  { requiredKeys: [] },
);

function treeBlocks({ inodes: _, ...blocks }: Demand): number {
  return Object.values(blocks).reduce((sum, count) => sum + count, 0);
}

function assertConsistent(geometry: Geometry): void {
  const { blocks, groups, blocksPerGroup, inodesPerGroup, inodes, overhead, freeBlocks } = geometry;
  const { journalBlocks, journalMap, cutBlocks } = geometry;
  assert.equal(
    treeBlocks(geometry.demand) + journalBlocks + journalMap + cutBlocks + overhead + freeBlocks,
    blocks,
  );
  assert.equal(Math.ceil(blocks / blocksPerGroup), groups);
  assert.ok(blocksPerGroup <= 32_768 && blocksPerGroup % 8 === 0);
  assert.ok(inodesPerGroup <= 32_768 && inodesPerGroup % 16 === 0);
  assert.equal(inodes, groups * inodesPerGroup);
  assert.ok(freeBlocks >= geometry.reservedBlocks && geometry.freeInodes >= 0);
}

test('the parts add up, and what was asked for is free', () => {
  const property = fc.property(demand, format, extras, (demand, format, extras) => {
    const geometry = planGeometry(demand, { format, ...extras });
    assertConsistent(geometry);
    const { free = 0, freeInodes = 0 } = extras;
    const wanted = typeof free === 'number' ? free / 4096 : (geometry.blocks * free.percent) / 100;
    assert.ok(geometry.freeBlocks >= wanted + geometry.reservedBlocks);
    assert.ok(geometry.freeInodes >= freeInodes);
  });
  fc.assert(property, runs(2_000));
});

test('large shares of large images are planned at once', () => {
  for (const percent of [50, 90]) {
    const huge = { inodes: 60_000, directoryBlocks: 5_000, symlinkBlocks: 5, xattrBlocks: 1, mapBlocks: 100 };
    const shares = { free: { percent }, reserved: 5 };
    let steps = 0; // each asks for the inodes
    const demand = {
      ...huge,
      fileBlocks: 30_000_000,
      get inodes() {
        steps++;
        return huge.inodes;
      },
    };
    const geometry = planGeometry(demand, { format: 'ext3', ...shares });
    // They were far more when each step was as large as what the step before had missed.
    assert.ok(steps < 300, `${steps} steps`);
    assertConsistent(geometry);
    const free = geometry.freeBlocks - geometry.reservedBlocks;
    assert.ok(free >= (geometry.blocks * percent) / 100);
    assert.ok(free <= (geometry.blocks * percent) / 100 + geometry.groups);
  }
});

test('any size from the least on will do', () => {
  const property = fc.property(
    demand,
    format,
    fc.integer({ min: 0, max: 2 ** 30 }),
    (demand, format, more) => {
      const least = planGeometry(demand, { format });
      for (const size of [least.bytes, least.bytes + more]) {
        const geometry = planGeometry(demand, { format, size });
        assertConsistent(geometry);
        assert.equal(geometry.bytes, size);
        assert.ok(geometry.blocks <= size / 4096);
      }
    },
  );
  fc.assert(property, runs(1_000));
});

test('the least size follows the formula', () => {
  const small: Demand = {
    inodes: 5_000,
    directoryBlocks: 300,
    symlinkBlocks: 2,
    xattrBlocks: 1,
    fileBlocks: 30_000,
    mapBlocks: 100,
  };
  const geometry = planGeometry(small, { format: 'ext3' });
  // Journal 1024 + 1; one group: 5008 inodes in 313 blocks, two bitmaps, superblock and descriptors.
  assert.equal(geometry.blocks, 30_403 + 1_025 + 313 + 2 + 2);
  assert.deepEqual(planLines({ image: { geometry } }), [
    'ext3 image',
    '30000  content of files, without holes',
    '  300  directories',
    '  100  indirect blocks',
    '    2  targets of long symlinks',
    '    1  xattrs that their inodes have no room for',
    ' 1025  journal',
    '  317  superblocks, bitmaps and inode tables of 1 group',
    '    0  free, 0 of them reserved for root',
    '31745  blocks of 4096 bytes: 130027520 bytes',
    ' 5008  inodes: 5000 in use, 8 free',
  ]);
});

test('many inodes and few blocks: smaller groups, not a larger image', () => {
  const many = {
    inodes: 100_000,
    directoryBlocks: 3_000,
    symlinkBlocks: 0,
    xattrBlocks: 0,
    fileBlocks: 0,
    mapBlocks: 3,
  };
  const { groups, blocks, blocksPerGroup } = planGeometry(many, { format: 'ext3' });
  assert.equal(groups, 4);
  assert.ok(blocksPerGroup < 4_000);
  assert.ok(blocks * 4096 < 45 * 2 ** 20);
});

test('mke2fs makes just that of random geometries', { skip: needs('mke2fs') }, async (t) => {
  const directory = scratch(t);
  const signal = new AbortController().signal;
  let count = 0;
  const property = fc.asyncProperty(
    demand,
    format,
    extras,
    fc.option(fc.integer({ min: 0, max: 2 ** 30 })),
    async (demand, format, extras, more) => {
      const least = planGeometry(demand, { format, ...extras });
      const { free: _, ...others } = extras;
      const size: SizeOptions = { format, ...others, size: least.bytes + (more ?? 0) };
      const geometry = more === null ? least : planGeometry(demand, size);
      const file = join(directory, `image-${count++}`);
      const fd = openSync(file, 'wx+');
      ftruncateSync(fd, geometry.bytes);
      const uuid = '00000000-0000-8000-8000-000000000000';
      await formatImage(file, geometry, { uuid, label: '' }, { signal, time: 1 });
      const { bitmap } = readFormatted(fd, geometry);
      const { overhead, journalBlocks, journalMap, blocks } = geometry;
      const taken = overhead + journalBlocks + journalMap;
      const free = countClear(bitmap, blocks);
      if (format === 'ext4') assert.ok(free >= blocks - taken);
      else assert.equal(free, blocks - taken);
      closeSync(fd);
    },
  );
  await fc.assert(property, runs(40));
});
