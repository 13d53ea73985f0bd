import type { Runs } from '../disk/runs.js';
import { BLOCK_RECORDS, INODE_RECORDS, MAX_EXTENT } from './structures/extent.js';

/** Block numbers in the inode, and in a block of block numbers. */
export const DIRECT = 12;
export const POINTERS = 1024;

/**
 * Indirect blocks that map the runs under ext2 and ext3. A block below a hole is left out.
 * Source: Linux, Documentation/filesystems/ext4/ifork.rst, "Direct/Indirect Block Addressing".
 */
export function indirectBlocks(runs: Runs): number {
  const leaves = new Counter();
  const middles = new Counter();
  let double = 0;
  let triple = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const end = runs[i + 1]! - DIRECT - 1;
    if (end < 0) continue;
    // Leaf 0 hangs in the inode, the next 1024 under the double block, the others under the triple's middles.
    const firstLeaf = Math.floor(Math.max(0, runs[i]! - DIRECT) / POINTERS);
    const lastLeaf = Math.floor(end / POINTERS);
    leaves.add(firstLeaf, lastLeaf);
    if (lastLeaf > 0 && firstLeaf <= POINTERS) double = 1;
    if (lastLeaf <= POINTERS) continue;
    triple = 1;
    const beyond = POINTERS + 1;
    middles.add(
      Math.floor(Math.max(0, firstLeaf - beyond) / POINTERS),
      Math.floor((lastLeaf - beyond) / POINTERS),
    );
  }
  return leaves.count + middles.count + double + triple;
}

/** Counts the different numbers in ranges that rise. */
class Counter {
  count = 0;
  #next = 0;

  add(first: number, last: number): void {
    const from = Math.max(first, this.#next);
    if (last < from) return;
    this.count += last - from + 1;
    this.#next = last + 1;
  }
}

/** Blocks of the extent tree that maps the runs, if each lies in one piece on the disk. */
export function extentBlocks(runs: Runs): number {
  let extents = 0;
  for (let i = 0; i < runs.length; i += 2) extents += Math.ceil((runs[i + 1]! - runs[i]!) / MAX_EXTENT);
  return treeBlocks(extents);
}

/** Blocks of a tree of so many extents whose top is in the inode. */
function treeBlocks(extents: number): number {
  let blocks = 0;
  for (let level = extents; level > INODE_RECORDS; blocks += level) level = Math.ceil(level / BLOCK_RECORDS);
  return blocks;
}
