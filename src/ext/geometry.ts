import { FlattenError } from '../errors.js';
import { sizeText } from '../size-text.js';
import type { Demand } from './census.js';
import {
  fixedGrouping,
  type Grouping,
  INODES_PER_BLOCK,
  LAST_GROUP_ROOM,
  leastGrouping,
  MAX_BLOCKS,
  MAX_PER_GROUP,
} from './groups.js';
import { checkSizeOptions, type JournalSize, journalSize, type SizeOptions } from './size-options.js';
import { BLOCK, type ExtFormat } from './structures/features.js';

/** Free room gets an inode for as many bytes as mke2fs gives one by default. */
const BYTES_PER_FREE_INODE = 16_384;
/** A file or journal that is cut in two, by a group's tables or the journal, may cost its extent tree this many blocks. */
const CUT_COST = 2;
const JOURNAL_CUTS = 4;
/**
 * Of a mounted ext4, Linux keeps a fiftieth of all blocks, at most so many, for extent trees that grow. Nobody else gets
 * them, and df does not count them. Source: ext4_calculate_resv_clusters in Linux, fs/ext4/super.c.
 */
const MAX_KEPT_BY_LINUX = 4_096;

/** The shape of an image: what mke2fs is told, and how the blocks come together. All in blocks or inodes but `bytes`. */
export interface Geometry extends Grouping, JournalSize {
  readonly format: ExtFormat;
  /** The file's size: that of `blocks`, or more where `--size` leaves an end that is too small for a group. */
  readonly bytes: number;
  readonly inodes: number;
  /** The tree's. */
  readonly demand: Demand;
  /** ext4: kept in case that groups cut files in two. */
  readonly cutBlocks: number;
  readonly reservedPercent: number;
  readonly reservedBlocks: number;
  /** What is left, reserved blocks among them. */
  readonly freeBlocks: number;
  readonly freeInodes: number;
}

/**
 * The least image that holds the demand, or the one of the size asked for. Throws `LIMIT`, with the least size that
 * would do, where that is too small, and `USAGE` for options that make no sense.
 */
export function planGeometry(demand: Demand, options: SizeOptions): Geometry {
  checkSizeOptions(options);
  const { size } = options;
  if (size === undefined) return leastGeometry(demand, options);
  const fitting = fixedGeometry(demand, options, Math.floor(size / BLOCK));
  if (fitting !== undefined) return { ...fitting, bytes: size };
  const { bytes } = leastGeometry(demand, options);
  throw new FlattenError(
    'LIMIT',
    `an image of ${sizeText(size)} is too small: the tree needs ${sizeText(bytes)}`,
    {
      hint: `{size: ${bytes}}, or leave {size} out`,
    },
  );
}

/** What is a share of all blocks makes more of them: the image grows until all of it fits. */
function leastGeometry(demand: Demand, options: SizeOptions): Geometry {
  const { format, free = 0, freeInodes, reserved: percent = 0 } = options;
  const isShare = typeof free === 'object';
  const taken = needed(demand, options);
  const freeBlocks = (blocks: number) => Math.ceil(isShare ? (blocks * free.percent) / 100 : free / BLOCK);
  const unusable = (blocks: number) =>
    share(blocks, percent) + (free === 0 ? 0 : keptByLinux(format, blocks));
  const others = 1 - (percent + (isShare ? free.percent : 0)) / 100;
  for (let blocks = 0; ; ) {
    const [room, reserved] = [freeBlocks(blocks), unusable(blocks)];
    const inGroups = (groups: number) =>
      Math.max(taken + room + reserved + cutBlocks(format, groups), formatFloor(options));
    const inodes = freeInodes ?? Math.floor((isShare ? room * BLOCK : free) / BYTES_PER_FREE_INODE);
    const grouping = leastGrouping(inGroups, demand.inodes + inodes);
    if (freeBlocks(grouping.blocks) <= room && unusable(grouping.blocks) <= reserved)
      return complete(grouping, demand, options);
    // What is neither free nor reserved does not shrink as the image grows, but for the ends of inode tables and of what is
    // reserved. So a large step is safe; to go up by what is missing alone would take hundreds where the shares are large.
    const fixed = taken + cutBlocks(format, grouping.groups) + grouping.overhead - grouping.groups - 1;
    blocks = Math.max(grouping.blocks, Math.floor(fixed / others));
  }
}

/** The geometry of so many blocks, the room that is left shared between blocks and inodes; `undefined`: too few. */
function fixedGeometry(demand: Demand, options: SizeOptions, size: number): Geometry | undefined {
  if (size > MAX_BLOCKS) throw new FlattenError('USAGE', '{size}: ext images here end at 16 TiB');
  const inodes = demand.inodes + (options.freeInodes ?? 0);
  const taken = needed(demand, options) + share(size, options.reserved ?? 0);
  // Where the last group's tables cost more than it brings, it is left out.
  for (let groups = Math.ceil(Math.max(size, inodes) / MAX_PER_GROUP); groups > 0; groups--) {
    const grouping = fixedGrouping(size, groups, inodes);
    if (grouping === undefined) continue;
    const floor = Math.max(taken + cutBlocks(options.format, groups), formatFloor(options));
    const room = grouping.blocks - grouping.overhead - floor;
    if (room < 0) continue;
    const extra = options.freeInodes === undefined ? inodesFor(room - groups, groups, inodes) : 0;
    return complete(fixedGrouping(size, groups, inodes + extra) ?? grouping, demand, options);
  }
  return undefined;
}

/** How many inodes free room is worth, their own tables paid for. */
function inodesFor(room: number, groups: number, inodes: number): number {
  const perInode = BYTES_PER_FREE_INODE / BLOCK + 1 / INODES_PER_BLOCK;
  return Math.max(0, Math.min(Math.floor(room / perInode), groups * MAX_PER_GROUP - inodes));
}

/** Blocks that tree and journal take, groups' tables aside. */
function needed(demand: Demand, options: SizeOptions): number {
  const { journalBlocks, journalMap } = journalSize(options);
  const { directoryBlocks, symlinkBlocks, xattrBlocks, fileBlocks, mapBlocks } = demand;
  return directoryBlocks + symlinkBlocks + xattrBlocks + fileBlocks + mapBlocks + journalBlocks + journalMap;
}

/** What mke2fs wants to see free before it makes a journal or, without one, a file system at all. */
function formatFloor(options: SizeOptions): number {
  return Math.max(2 * journalSize(options).journalBlocks, LAST_GROUP_ROOM);
}

function cutBlocks(format: ExtFormat, groups: number): number {
  return format === 'ext4' ? CUT_COST * (groups + JOURNAL_CUTS) : 0;
}

function keptByLinux(format: ExtFormat, blocks: number): number {
  return format === 'ext4' ? Math.min(Math.floor(blocks / 50), MAX_KEPT_BY_LINUX) : 0;
}

function share(blocks: number, percent: number): number {
  return Math.floor((blocks * percent) / 100);
}

function complete(grouping: Grouping, demand: Demand, options: SizeOptions): Geometry {
  const { format, reserved = 0 } = options;
  const kept = cutBlocks(format, grouping.groups);
  const inodes = grouping.groups * grouping.inodesPerGroup;
  return {
    ...grouping,
    ...journalSize(options),
    format,
    bytes: grouping.blocks * BLOCK,
    inodes,
    demand,
    cutBlocks: kept,
    reservedPercent: reserved,
    reservedBlocks: share(grouping.blocks, reserved),
    freeBlocks: grouping.blocks - grouping.overhead - needed(demand, options) - kept,
    freeInodes: inodes - demand.inodes,
  };
}
