import { readAt } from '../../disk/positioned.js';
import { FlattenError } from '../../errors.js';
import { DIRECT } from '../map-size.js';
import { EXTENT_MAGIC, type Extent, MAX_EXTENT, RECORD } from '../structures/extent.js';
import { FLAG, MAP_SIZE, type StoredInode } from '../structures/inode.js';

/** Where blocks are read from. */
export interface BlockDevice {
  readonly fd: number;
  readonly blockSize: number;
  /** How many there are. */
  readonly blocks: number;
}

/**
 * Counts the blocks that files claim. In a sound file system no block has two owners, so all claims together are
 * at most its size: a map that runs in circles ends here.
 */
export class BlockBudget {
  #left: number;

  constructor(blocks: number) {
    this.#left = blocks;
  }

  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw damaged('files claim more blocks than there are');
  }
}

/** Extent trees are at most this deep: e2fsck and the kernel refuse more. */
const MAX_DEPTH = 5;

export function damaged(what: string): FlattenError {
  return new FlattenError('BAD_IMAGE', `damaged file system: ${what}`, { hint: 'see what e2fsck -fn says' });
}

/**
 * Where an inode's blocks lie, in rising logical order; neighbours are one extent, holes are left out. Blocks past the
 * inode's size are left out too.
 */
export function readBlockMap(inode: StoredInode, device: BlockDevice, budget: BlockBudget): Extent[] {
  const end = Math.ceil(inode.size / device.blockSize);
  const found = new ExtentBuilder(device.blocks, end);
  if (inode.flags & FLAG.extents) readExtents(inode.map, device, budget, found);
  else readPointers(inode.map, device, budget, found);
  return found.extents;
}

class ExtentBuilder {
  readonly extents: Extent[] = [];
  readonly #blocks: number;
  /** The first logical block past the file. */
  readonly end: number;

  constructor(blocks: number, end: number) {
    this.#blocks = blocks;
    this.end = end;
  }

  add(logical: number, physical: number, length: number): void {
    const count = Math.min(length, this.end - logical);
    if (count <= 0) return;
    if (physical === 0 || physical + count > this.#blocks) throw damaged('a block number past the end');
    const last = this.extents[this.extents.length - 1];
    if (last === undefined) {
      this.extents.push({ logical, physical, count });
      return;
    }
    const next = last.logical + last.count;
    if (logical < next) throw damaged('a block map that goes backwards');
    if (logical !== next || physical !== last.physical + last.count) {
      this.extents.push({ logical, physical, count });
      return;
    }
    this.extents[this.extents.length - 1] = { ...last, count: last.count + count };
  }
}

function readBlock(device: BlockDevice, block: number): Buffer {
  if (block === 0 || block >= device.blocks) throw damaged('a block number past the end');
  return readAt(device.fd, block * device.blockSize, device.blockSize);
}

function readPointers(map: Buffer, device: BlockDevice, budget: BlockBudget, found: ExtentBuilder): void {
  const perBlock = device.blockSize / 4;
  const visit = (pointer: number, depth: number, logical: number): void => {
    if (pointer === 0 || logical >= found.end) return;
    budget.take(1);
    if (depth === 0) {
      found.add(logical, pointer, 1);
      return;
    }
    const block = readBlock(device, pointer);
    for (let i = 0; i < perBlock; i++) {
      visit(block.readUInt32LE(i * 4), depth - 1, logical + i * perBlock ** (depth - 1));
    }
  };
  let logical = 0;
  for (let i = 0; i < MAP_SIZE / 4; i++) {
    const depth = Math.max(0, i - DIRECT + 1);
    visit(map.readUInt32LE(i * 4), depth, logical);
    logical += perBlock ** depth;
  }
}

function readExtents(map: Buffer, device: BlockDevice, budget: BlockBudget, found: ExtentBuilder): void {
  const visit = (node: Buffer, limit: number): void => {
    const entries = node.readUInt16LE(2);
    const depth = node.readUInt16LE(6);
    if (node.readUInt16LE(0) !== EXTENT_MAGIC || depth > limit)
      throw damaged('an extent tree with a bad node');
    if ((entries + 1) * RECORD > node.length) throw damaged('an extent tree with a bad node');
    for (let at = RECORD; at <= entries * RECORD; at += RECORD) {
      if (depth > 0) {
        budget.take(1);
        visit(readBlock(device, node.readUInt32LE(at + 4) + node.readUInt16LE(at + 8) * 2 ** 32), depth - 1);
        continue;
      }
      const count = node.readUInt16LE(at + 4);
      if (count > MAX_EXTENT) continue; // allocated, never written: reads as zeros
      budget.take(count);
      found.add(
        node.readUInt32LE(at),
        node.readUInt32LE(at + 8) + node.readUInt16LE(at + 6) * 2 ** 32,
        count,
      );
    }
  };
  visit(map, MAX_DEPTH);
}
