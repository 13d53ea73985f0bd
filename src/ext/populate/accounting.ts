import { writeAt } from '../../disk/positioned.js';
import { EXT_SUPERBLOCK } from '../../disk-magic.js';
import type { Geometry } from '../geometry.js';
import { DESCRIPTOR, AT as GROUP, hasSuperblock } from '../structures/descriptor.js';
import { BLOCK } from '../structures/features.js';
import { finishSuperblock, AT as SUPER } from '../structures/superblock.js';
import type { Formatted } from './formatted.js';
import { countClear, setBits } from './space.js';

/** Inodes that are taken: the first so many, and directories by group. */
export interface TakenInodes {
  readonly count: number;
  readonly directoriesOf: (group: number) => number;
}

/** Writes bitmaps, descriptors and superblocks, and the copies of the last two, as they are now that all is placed. */
export function writeAccounts(
  fd: number,
  geometry: Geometry,
  formatted: Formatted,
  inodes: TakenInodes,
  time: number,
): void {
  const { groups, blocks, blocksPerGroup } = geometry;
  let freeBlocks = 0;
  formatted.descriptors.forEach((descriptor, group) => {
    const start = group * blocksPerGroup;
    const bitmap = formatted.bitmap.subarray(start / 8, (start + blocksPerGroup) / 8);
    const free = countClear(bitmap, Math.min(blocksPerGroup, blocks - start));
    descriptor.writeUInt16LE(free, GROUP.freeBlocks);
    freeBlocks += free;
    writeAt(fd, bitmap, descriptor.readUInt32LE(GROUP.blockBitmap) * BLOCK);
    writeInodes(fd, geometry, descriptor, group, inodes);
  });
  finishSuperblock(formatted.superblock, { freeBlocks, freeInodes: geometry.inodes - inodes.count, time });
  const table = Buffer.alloc(Math.ceil((groups * DESCRIPTOR) / BLOCK) * BLOCK);
  Buffer.concat(formatted.descriptors).copy(table);
  for (let group = 0; group < groups; group++) {
    if (hasSuperblock(group))
      writeHead(fd, group, group * blocksPerGroup * BLOCK, formatted.superblock, table);
  }
}

function writeInodes(
  fd: number,
  { inodesPerGroup }: Geometry,
  descriptor: Buffer,
  group: number,
  inodes: TakenInodes,
): void {
  const taken = Math.min(Math.max(inodes.count - group * inodesPerGroup, 0), inodesPerGroup);
  const bitmap = Buffer.alloc(BLOCK);
  setBits(bitmap, 0, taken);
  setBits(bitmap, inodesPerGroup, BLOCK * 8 - inodesPerGroup);
  writeAt(fd, bitmap, descriptor.readUInt32LE(GROUP.inodeBitmap) * BLOCK);
  descriptor.writeUInt16LE(inodesPerGroup - taken, GROUP.freeInodes);
  descriptor.writeUInt16LE(inodes.directoriesOf(group), GROUP.directories);
}

/** A group's superblock and table. The first superblock lies behind room for a boot sector. */
function writeHead(fd: number, group: number, start: number, superblock: Buffer, table: Buffer): void {
  superblock.writeUInt16LE(group, SUPER.groupNumber);
  writeAt(fd, superblock, start + (group === 0 ? EXT_SUPERBLOCK : 0));
  writeAt(fd, table, start + BLOCK);
}
