import { FlattenError, printable } from '../../errors.js';
import type { InputBounds } from '../../layer/input-bounds.js';
import type { File, Rootfs } from '../../rootfs/node.js';
import { holesIn, walk } from '../../rootfs/walk.js';
import { sizeText } from '../../size-text.js';
import { isMappable } from '../../tar/write-sparse.js';

/**
 * Throws `LIMIT`, naming the largest such file, where the holes that an archive of this tree would hold as zeros come to more
 * than its input may cost. To be called before anything is written. A tree without `bounds` is the user's own.
 */
export function refuseZeros(
  { root, holes = 0 }: Rootfs,
  { sparse }: { readonly sparse: boolean },
  bounds: InputBounds | undefined,
): void {
  const most = bounds?.zeros ?? Number.POSITIVE_INFINITY;
  if (holes <= most) return;
  let zeros = 0;
  let worst = { path: '', holes: 0 };
  const seen = new Set<File>();
  for (const { path, node } of walk(root)) {
    if (node.kind !== 'file' || seen.has(node)) continue;
    const { segments, size } = node.content;
    if (segments === undefined || (sparse && isMappable(segments, size))) continue;
    seen.add(node);
    const own = holesIn(node.content);
    zeros += own;
    if (own > worst.holes) worst = { path, holes: own };
  }
  if (zeros <= most) return;
  throw new FlattenError(
    'LIMIT',
    `has holes of ${sizeText(worst.holes)}, which are written as zeros here: all such holes may have ${sizeText(most)}`,
    {
      path: worst.path,
      hint: `if you trust the image, say how much it may take, as {maxSize: 64G}; or leave the file out: {exclude: '${printable(worst.path)}'}`,
    },
  );
}
