import type { Geometry } from './geometry.js';
import { BLOCK } from './structures/features.js';

/** What {@link planLines} needs of an `ExtPlan`. */
interface PlannedSize {
  readonly image: { readonly geometry: Geometry };
}

/** How an image's size comes together, line by line, for a person. The blocks add up to the total; what is none is left out. */
export function planLines({ image: { geometry } }: PlannedSize): string[] {
  const { demand, format, groups, journalBlocks, journalMap } = geometry;
  const map = format === 'ext4' ? 'extent trees' : 'indirect blocks';
  const parts: readonly (readonly [number, string])[] = [
    [demand.fileBlocks, 'content of files, without holes'],
    [demand.directoryBlocks, 'directories'],
    [demand.mapBlocks, map],
    [demand.symlinkBlocks, 'targets of long symlinks'],
    [demand.xattrBlocks, 'xattrs that their inodes have no room for'],
    [journalBlocks + journalMap, 'journal'],
    [geometry.overhead, `superblocks, bitmaps and inode tables of ${groups} group${groups === 1 ? '' : 's'}`],
    [geometry.cutBlocks, `more ${map}, should groups cut files in two`],
    [geometry.freeBlocks, `free, ${geometry.reservedBlocks} of them reserved for root`],
  ];
  const totals: typeof parts = [
    [geometry.blocks, `blocks of ${BLOCK} bytes: ${geometry.bytes} bytes`],
    [geometry.inodes, `inodes: ${demand.inodes} in use, ${geometry.freeInodes} free`],
  ];
  const width = Math.max(...totals.map(([count]) => String(count).length));
  const isTold = ([count, what]: (typeof parts)[number]) => count > 0 || what.startsWith('free');
  const lines = [...parts.filter(isTold), ...totals];
  return [`${format} image`, ...lines.map(([count, what]) => `${String(count).padStart(width)}  ${what}`)];
}
