import { ContentReader } from '../layer/content.js';
import { sameContent } from '../layer/same-content.js';
import type { File } from '../rootfs/node.js';

/** Whether two files have the same bytes, which are read for it where the sizes are the same. */
export function sameBytes({ content: a }: File, { content: b }: File): boolean {
  if (a.size !== b.size) return false;
  const readers = [new ContentReader(), new ContentReader()] as const;
  try {
    return sameContent(a, b, ...readers);
  } finally {
    for (const reader of readers) reader.close();
  }
}
