import { BLOCK } from '../disk/block.js';
import type { ImageSize } from './image-plan.js';

/** How an image's size comes together, line by line, for a person. The blocks add up to the total; what is none is left out. */
export function planLines({ image: { size } }: { readonly image: { readonly size: ImageSize } }): string[] {
  const shared = size.sharedBlocks > 0 ? `, and ${size.sharedBlocks} that other files have already` : '';
  const parts: readonly (readonly [number, string])[] = [
    [size.fileBlocks, `content of files, without holes${shared}`],
    [size.directoryBlocks, 'directories'],
    [size.symlinkBlocks, 'targets of long symlinks'],
    [size.inodeBlocks, 'superblock and inodes, with xattrs, small directories and the ends of files'],
  ];
  const totals: typeof parts = [
    [size.blocks, `blocks of ${BLOCK} bytes: ${size.blocks * BLOCK} bytes`],
    [size.inodes, 'inodes'],
  ];
  const lines = [...parts.filter(([count]) => count > 0), ...totals];
  const width = Math.max(...totals.map(([count]) => String(count).length));
  return ['erofs image', ...lines.map(([count, what]) => `${String(count).padStart(width)}  ${what}`)];
}
