import type { Directory } from './node.js';
import { eachName } from './walk.js';

/** Clamps every inode's mtime to `latest` (nanoseconds since 1970), as SOURCE_DATE_EPOCH asks. */
export function clampTimes(root: Directory, latest: bigint): void {
  eachName(root, (node) => {
    if (node.meta.mtime > latest) node.meta = { ...node.meta, mtime: latest };
  });
}
