import { readAt } from '../../disk/positioned.js';
import { EXT_MAGIC, EXT_SUPERBLOCK } from '../../disk-magic.js';
import { FlattenError } from '../../errors.js';
import type { Geometry } from '../geometry.js';
import { BlockBudget, readBlockMap } from '../read/block-map.js';
import { DESCRIPTOR, AT as GROUP } from '../structures/descriptor.js';
import { BLOCK, FIRST_INODE, INODE, ROOT_INODE } from '../structures/features.js';
import { decodeInode } from '../structures/inode.js';
import { AT as SUPER, SIZE as SUPERBLOCK_SIZE } from '../structures/superblock.js';
import { clearBit } from './space.js';

/** A file system as mke2fs has made it: what is kept of it. */
export interface Formatted {
  readonly superblock: Buffer;
  /** One for each group. */
  readonly descriptors: readonly Buffer[];
  /** The inodes before {@link FIRST_INODE}; the journal's is among them. */
  readonly reserved: readonly Buffer[];
  /** A bit for each block of each group, set where mke2fs has put tables or the journal; root and `lost+found` do not count. */
  readonly bitmap: Buffer;
}

/** Reads back what mke2fs has written; throws `TOOL` where it is not what the plan says. */
export function readFormatted(fd: number, geometry: Geometry): Formatted {
  const superblock = readAt(fd, EXT_SUPERBLOCK, SUPERBLOCK_SIZE);
  checkGeometry(superblock, geometry);
  const table = readAt(fd, BLOCK, geometry.groups * DESCRIPTOR);
  const descriptors = Array.from({ length: geometry.groups }, (_, group) =>
    table.subarray(group * DESCRIPTOR, (group + 1) * DESCRIPTOR),
  );
  const bytes = geometry.blocksPerGroup / 8;
  const bitmap = Buffer.alloc(geometry.groups * bytes);
  descriptors.forEach((descriptor, group) => {
    readAt(fd, descriptor.readUInt32LE(GROUP.blockBitmap) * BLOCK, bytes).copy(bitmap, group * bytes);
  });
  const tableAt = descriptors[0]!.readUInt32LE(GROUP.inodeTable) * BLOCK;
  const inodes = Array.from({ length: FIRST_INODE }, (_, i) => readAt(fd, tableAt + i * INODE, INODE));
  for (const number of [ROOT_INODE, FIRST_INODE]) freeBlocks(fd, inodes[number - 1]!, geometry, bitmap);
  return { superblock, descriptors, reserved: inodes.slice(0, FIRST_INODE - 1), bitmap };
}

function checkGeometry(superblock: Buffer, geometry: Geometry): void {
  const fields: readonly (readonly [string, number, number])[] = [
    ['blocks', superblock.readUInt32LE(SUPER.blocksCount), geometry.blocks],
    ['inodes', superblock.readUInt32LE(SUPER.inodesCount), geometry.inodes],
    ['blocks per group', superblock.readUInt32LE(SUPER.blocksPerGroup), geometry.blocksPerGroup],
    ['bytes per inode', superblock.readUInt16LE(SUPER.inodeSize), INODE],
    ['magic number', superblock.readUInt16LE(SUPER.magic), EXT_MAGIC.number],
  ];
  for (const [what, made, planned] of fields) {
    if (made === planned) continue;
    throw new FlattenError('TOOL', `mke2fs made a file system with ${made} ${what}, not ${planned}`, {
      hint: 'e2fsprogs 1.45 to 1.47 are known to work: see `mke2fs -V`',
    });
  }
}

function freeBlocks(fd: number, raw: Buffer, { blocks }: Geometry, bitmap: Buffer): void {
  const geometry = { fd, blockSize: BLOCK, blocks };
  for (const { physical, count } of readBlockMap(decodeInode(raw), geometry, new BlockBudget(blocks))) {
    for (let i = 0; i < count; i++) clearBit(bitmap, physical + i);
  }
}
