import type { Geometry } from './geometry.js';
import { BLOCK } from './structures/features.js';

/** How an image's size comes together, line by line, for a person. The blocks add up to the total. */
export function planLines(geometry: Geometry): string[] {
  const { demand, format, groups, journalBlocks, journalMap } = geometry;
  const map = format === 'ext4' ? 'extent trees' : 'indirect blocks';
  const parts: readonly (readonly [number, string])[] = [
    [demand.fileBlocks, 'content of files, without holes'],
    [demand.directoryBlocks, 'directories'],
    [demand.mapBlocks, map],
    [demand.symlinkBlocks, 'targets of long symlinks'],
    [demand.xattrBlocks, 'xattrs that their inodes have no room for'],
    [journalBlocks + journalMap, 'journal'],
    [geometry.overhead, `superblocks, bitmaps and inode tables of ${count(groups, 'group')}`],
    [geometry.cutBlocks, `more ${map}, should groups cut files in two`],
    [geometry.freeBlocks, `free, ${geometry.reservedBlocks} of them reserved for root`],
    [geometry.blocks, `blocks of ${BLOCK} bytes: ${geometry.bytes} bytes`],
  ];
  const inodes = `inodes: ${demand.inodes} in use, ${geometry.freeInodes} free`;
  const width = String(geometry.inodes + geometry.blocks).length;
  const lines = parts.map(([blocks, what]) => `${String(blocks).padStart(width)}  ${what}`);
  return [`${format} image`, ...lines, `${String(geometry.inodes).padStart(width)}  ${inodes}`];
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
