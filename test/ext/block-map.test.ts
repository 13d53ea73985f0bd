import assert from 'node:assert/strict';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { writeAt } from '../../src/disk/positioned.js';
import { blocksIn, type Runs, wholeRun } from '../../src/disk/runs.js';
import { mapBlocks } from '../../src/ext/census.js';
import { indirectBlocks } from '../../src/ext/map-size.js';
import { blockMapper } from '../../src/ext/populate/block-map.js';
import { BlockBudget, readBlockMap } from '../../src/ext/read/block-map.js';
import type { Extent } from '../../src/ext/structures/extent.js';
import { MAP_SIZE, type StoredInode } from '../../src/ext/structures/inode.js';
import { scratch } from '../support/scratch.js';
import { runs } from '../support/stacks.js';

/** Gaps and lengths, some far and long, as runs; up to beyond where the triple indirect block begins. */
const someRuns: fc.Arbitrary<Runs> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 700_000 })),
      fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 5_000 })),
    ),
    { maxLength: 30 },
  )
  .map((pairs) => {
    let at = -1;
    return pairs.flatMap(([gap, length]) => {
      const start = at + gap;
      at = start + length;
      return [start, at];
    });
  });

test('indirect blocks of files without holes follow the formula', () => {
  for (const [blocks, expected] of [
    [0, 0],
    [12, 0],
    [13, 1],
    [1036, 1],
    [1037, 3],
    [1036 + 1024, 3],
    [1036 + 1025, 4],
    [1_049_612, 2 + 1024],
    [1_049_613, 2 + 1024 + 3],
  ] as const) {
    assert.equal(indirectBlocks(wholeRun(blocks)), expected, `${blocks} blocks`);
  }
});

for (const format of ['ext3', 'ext4'] as const) {
  test(`${format}: what is written of a map is what was counted, and what is read of it what was placed`, (t) => {
    const fd = openSync(join(scratch(t), 'image'), 'wx+');
    t.after(() => closeSync(fd));
    const property = fc.property(someRuns, (runs) => {
      const { map, extents, emitted } = write(fd, runs, format);
      assert.equal(emitted, mapBlocks(runs, format));
      const last = runs.at(-1) ?? 0;
      const inode = { map, flags: blockMapper(format).flags, size: last * 4096 } as StoredInode;
      const blocks = 2 ** 32;
      const read = readBlockMap(inode, { fd, blockSize: 4096, blocks }, new BlockBudget(blocks));
      assert.deepEqual(read, extents);
    });
    fc.assert(property, runs(60));
  });
}

/** Places each run in one piece, far from its map. */
function write(fd: number, runs: Runs, format: 'ext3' | 'ext4') {
  const extents: Extent[] = [];
  let physical = 100_000;
  for (let i = 0; i < runs.length; i += 2) {
    const count = runs[i + 1]! - runs[i]!;
    extents.push({ logical: runs[i]!, physical, count });
    physical += count + 1;
  }
  assert.equal(
    extents.reduce((sum, { count }) => sum + count, 0),
    blocksIn(runs),
  );
  const map = Buffer.alloc(MAP_SIZE);
  let next = 1;
  const emitted = blockMapper(format).write(map, extents, (fill) => {
    const block = Buffer.alloc(4096);
    fill(block);
    writeAt(fd, block, next * 4096);
    return next++;
  });
  return { map, extents, emitted };
}
