import type { Directory } from './node.js';
import { walk } from './walk.js';

/** Clamps every inode's mtime to `latest` (nanoseconds since 1970), as SOURCE_DATE_EPOCH asks. */
export function clampTimes(root: Directory, latest: bigint): void {
  for (const { node } of walk(root)) {
    if (node.meta.mtime > latest) node.meta = { ...node.meta, mtime: latest };
  }
}
