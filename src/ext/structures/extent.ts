import { BLOCK, type Extent } from '../../disk/block.js';

export type { Extent };

/** Extents and the tree they lie in. Source: Linux, Documentation/filesystems/ext4/ifork.rst, "Extent Tree". */
export const EXTENT_MAGIC = 0xf30a;
export const RECORD = 12;
/** Records that fit in the inode, and in a block. */
export const INODE_RECORDS = 4;
export const BLOCK_RECORDS = Math.floor((BLOCK - RECORD) / RECORD);
/** The most blocks in one extent; a larger length means "allocated, reads as zeros". */
export const MAX_EXTENT = 32768;

/** A block of the tree, and the first logical block below it. */
export interface TreeBlock {
  readonly logical: number;
  readonly physical: number;
}

export function writeLeaf(into: Buffer, room: number, extents: readonly Extent[]): void {
  writeHeader(into, room, extents.length, 0);
  extents.forEach(({ logical, physical, count }, i) => {
    const at = RECORD * (i + 1);
    into.writeUInt32LE(logical, at);
    into.writeUInt16LE(count, at + 4);
    into.writeUInt32LE(physical, at + 8);
  });
}

export function writeIndex(into: Buffer, room: number, depth: number, blocks: readonly TreeBlock[]): void {
  writeHeader(into, room, blocks.length, depth);
  blocks.forEach(({ logical, physical }, i) => {
    const at = RECORD * (i + 1);
    into.writeUInt32LE(logical, at);
    into.writeUInt32LE(physical, at + 4);
  });
}

function writeHeader(into: Buffer, room: number, entries: number, depth: number): void {
  into.writeUInt16LE(EXTENT_MAGIC, 0);
  into.writeUInt16LE(entries, 2);
  into.writeUInt16LE(room, 4);
  into.writeUInt16LE(depth, 6);
}
