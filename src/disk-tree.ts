import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { DISK_HEAD, diskKindOf } from './disk-magic.js';
import { FlattenError } from './errors.js';
import type { Rootfs } from './rootfs/node.js';

type DiskKind = NonNullable<ReturnType<typeof diskKindOf>>;

/** Which file system a file holds; undefined for none, and for what is no file. */
export function diskKind(path: string): DiskKind | undefined {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(DISK_HEAD);
    return diskKindOf(head.subarray(0, readSync(fd, head, 0, DISK_HEAD, 0)));
  } finally {
    closeSync(fd);
  }
}

/** The tree of a disk image; its content is read while it is open. */
export async function openDisk(
  path: string,
  kind: DiskKind,
): Promise<{ readonly rootfs: Rootfs; close(): Promise<void> }> {
  if (kind === 'squashfs')
    throw new FlattenError('UNSUPPORTED', `${path}: squashfs is not read back`, {
      hint: 'mount it, and compare the directory: {output: DIR}',
    });
  const fd = openSync(path, 'r');
  try {
    // Most runs read no disk image back: they do without the code.
    const rootfs =
      kind === 'ext'
        ? (await import('./ext/ext.js')).readExt(fd)
        : (await import('./erofs/erofs.js')).readErofs(fd);
    return { rootfs, close: async () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}
