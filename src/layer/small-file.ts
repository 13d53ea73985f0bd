import type { Directory } from '../rootfs/node.js';
import { lookup } from '../rootfs/path.js';
import { ContentReader } from './content.js';

/** The most bytes that are read. */
const MAX_FILE = 4 * 2 ** 20;

/** The bytes of a small file of the tree, `''` where there is none; symlinks are followed inside the tree. Latin1. */
export function smallFile(root: Directory, path: string): string {
  const node = lookup(root, path, { follow: true });
  if (node?.kind !== 'file' || node.content.size > MAX_FILE) return '';
  const bytes = Buffer.alloc(node.content.size);
  const reader = new ContentReader();
  try {
    reader.read(node.content, 0, bytes);
  } finally {
    reader.close();
  }
  return bytes.toString('latin1');
}
