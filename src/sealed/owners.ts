import { segmentsOf } from '../layer/content.js';
import type { Rootfs } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';

/** Which files of a disk image the bytes at some offsets belong to; none for what is no file's content. `rootfs` is as a reader of the format gives it. */
export function ownersOf({ root }: Rootfs, offsets: readonly number[]): Map<number, string> {
  const owners = new Map<number, string>();
  for (const { path, node } of walk(root)) {
    if (node.kind !== 'file') continue;
    for (const { length, at = node.content.offset } of segmentsOf(node.content)) {
      for (const offset of offsets)
        if (at <= offset && offset < at + length && !owners.has(offset)) owners.set(offset, path);
    }
  }
  return owners;
}
