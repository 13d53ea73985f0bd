import { FlattenError } from '../errors.js';
import { DESCRIPTOR, hasSuperblock } from './structures/descriptor.js';
import { BLOCK, INODE } from './structures/features.js';

/** A bitmap is one block: so many blocks, and so many inodes, in a group at most. */
export const MAX_PER_GROUP = BLOCK * 8;
export const INODES_PER_BLOCK = BLOCK / INODE;
/** mke2fs drops a last group that has fewer blocks than this beyond its own tables. */
export const LAST_GROUP_ROOM = 50;
export const MAX_BLOCKS = 2 ** 32 - 1;
const MIN_BLOCKS_PER_GROUP = 256;

/** The groups of an image. */
export interface Grouping {
  readonly blocks: number;
  readonly groups: number;
  readonly blocksPerGroup: number;
  readonly inodesPerGroup: number;
  /** Superblocks, descriptors, bitmaps and inode tables of all groups. */
  readonly overhead: number;
}

/**
 * The fewest blocks, in the fewest groups, with room for so many inodes and for what `demand` says so many groups
 * must hold beside their own tables.
 */
export function leastGrouping(demand: (groups: number) => number, inodes: number): Grouping {
  for (let groups = Math.ceil(inodes / MAX_PER_GROUP); ; ) {
    const inodesPerGroup = perGroup(inodes, groups);
    const overhead = totalOverhead(groups, inodesPerGroup);
    const least = demand(groups) + overhead;
    if (least > MAX_BLOCKS) throw new FlattenError('LIMIT', 'the tree needs an image of more than 16 TiB');
    if (least > groups * MAX_PER_GROUP) {
      // More groups take no fewer blocks, but for the end of each inode table: so no number in between will do.
      groups = Math.max(groups + 1, Math.ceil((least - groups) / MAX_PER_GROUP));
      continue;
    }
    // Where inodes force more groups than the blocks need, or the last would be too small, all groups are smaller.
    const last = overheadOf(groups - 1, groups, inodesPerGroup) + LAST_GROUP_ROOM;
    const isFull = least >= (groups - 1) * MAX_PER_GROUP + last;
    const blocksPerGroup = isFull ? MAX_PER_GROUP : evenGroups(least, groups, inodesPerGroup);
    const blocks = Math.max(least, (groups - 1) * blocksPerGroup + last);
    return { blocks, groups, blocksPerGroup, inodesPerGroup, overhead };
  }
}

/** So many groups out of so many blocks, as large as can be, else even; `undefined` where they cannot hold the inodes. */
export function fixedGrouping(size: number, groups: number, inodes: number): Grouping | undefined {
  const inodesPerGroup = perGroup(inodes, groups);
  if (inodesPerGroup > MAX_PER_GROUP) return undefined;
  const blocks = Math.min(size, groups * MAX_PER_GROUP);
  const last = overheadOf(groups - 1, groups, inodesPerGroup) + LAST_GROUP_ROOM;
  const fits = (blocksPerGroup: number) =>
    blocksPerGroup <= MAX_PER_GROUP && blocks >= (groups - 1) * blocksPerGroup + last;
  const blocksPerGroup = [MAX_PER_GROUP, evenGroups(blocks, groups, inodesPerGroup)].find(fits);
  if (blocksPerGroup === undefined) return undefined;
  return { blocks, groups, blocksPerGroup, inodesPerGroup, overhead: totalOverhead(groups, inodesPerGroup) };
}

/** Blocks of each group when all are to be about as large; a multiple of 8, as mke2fs wants it. */
function evenGroups(blocks: number, groups: number, inodesPerGroup: number): number {
  const least = overheadOf(0, groups, inodesPerGroup) + LAST_GROUP_ROOM;
  const even = Math.max(MIN_BLOCKS_PER_GROUP, least, blocks / groups);
  return Math.ceil(even / 8) * 8;
}

/** Inodes of a group: shared out evenly, and whole blocks of them. */
function perGroup(inodes: number, groups: number): number {
  return Math.ceil(inodes / groups / INODES_PER_BLOCK) * INODES_PER_BLOCK;
}

/** A group's own blocks: bitmaps and inode table, and superblock and descriptors where it has them. */
function overheadOf(group: number, groups: number, inodesPerGroup: number): number {
  const descriptors = Math.ceil((DESCRIPTOR * groups) / BLOCK);
  return 2 + inodesPerGroup / INODES_PER_BLOCK + (hasSuperblock(group) ? 1 + descriptors : 0);
}

function totalOverhead(groups: number, inodesPerGroup: number): number {
  let sum = 0;
  for (let group = 0; group < groups; group++) sum += overheadOf(group, groups, inodesPerGroup);
  return sum;
}
