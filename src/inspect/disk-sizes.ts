import { FlattenError } from '../errors.js';
import type { Tree } from '../tree.js';

/** The formats whose size is told: the usual ones for a disk that is written to, and for one that is not. */
const FORMATS = ['ext3', 'ext4', 'erofs'] as const;

/** Bytes by format. */
export type DiskSizes = Readonly<Partial<Record<(typeof FORMATS)[number], number>>>;

/** How large the disk images are that a tree becomes with the usual options. All content is read. */
export async function diskSizes(tree: Tree): Promise<DiskSizes> {
  const sizes: Record<string, number> = {};
  for (const format of FORMATS) {
    try {
      sizes[format] = (await tree.plan(format)).bytes;
    } catch (error) {
      const cannotHold = error instanceof FlattenError && ['LIMIT', 'UNSUPPORTED'].includes(error.code);
      if (!cannotHold) throw error;
    }
  }
  return sizes;
}
