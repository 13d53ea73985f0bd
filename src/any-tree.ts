import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Context } from './context.js';
import { DISK_HEAD, diskKindOf } from './disk-magic.js';
import { FlattenError } from './errors.js';
import { loadTree } from './load-tree.js';
import type { Rootfs } from './rootfs/node.js';
import type { ClosableImage, OpenedImage } from './sources/image.js';

/** The tree of an image, of a root filesystem or of a disk image. Content is read as long as it is open. */
export interface AnyTree {
  readonly rootfs: Rootfs;
  /** What the layers were opened from; absent for a disk image. */
  readonly image?: OpenedImage;
  /** Names at the root that a file system has by itself, as `lost+found`. */
  readonly mayAdd: readonly string[];
  /** Resolves once every digest was found right. */
  readonly verified: Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens what lies at `path`: a disk image is known by its content, and of anything else `open` makes an image. `context` is told of the
 * progress.
 */
export async function openAnyTree(
  path: string,
  open: () => Promise<ClosableImage>,
  { keepDirlinks = false }: { readonly keepDirlinks?: boolean },
  context: Context,
): Promise<AnyTree> {
  const kind = diskKind(path);
  if (kind === 'squashfs')
    throw new FlattenError('UNSUPPORTED', `${path}: squashfs is not read back`, {
      hint: 'mount it, and compare the directory: {output: DIR}',
    });
  if (kind !== undefined) return openDisk(path, kind);
  const image = await open();
  try {
    const tree = await loadTree(image.layers, { keepDirlinks }, context);
    const close = async () => {
      tree.close();
      await image.close();
    };
    return { rootfs: tree.rootfs, image, mayAdd: [], verified: tree.verified, close };
  } catch (error) {
    await image.close();
    throw error;
  }
}

async function openDisk(path: string, kind: 'ext' | 'erofs'): Promise<AnyTree> {
  const fd = openSync(path, 'r');
  try {
    // Most runs read no disk image back: they do without the code.
    const rootfs =
      kind === 'ext'
        ? (await import('./ext/ext.js')).readExt(fd)
        : (await import('./erofs/erofs.js')).readErofs(fd);
    const mayAdd = kind === 'ext' ? ['lost+found'] : [];
    return { rootfs, mayAdd, verified: Promise.resolve(), close: async () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

/** Which file system a file holds; undefined for none, and for what is no file. */
function diskKind(path: string): ReturnType<typeof diskKindOf> {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return undefined;
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(DISK_HEAD);
    return diskKindOf(head.subarray(0, readSync(fd, head, 0, DISK_HEAD, 0)));
  } finally {
    closeSync(fd);
  }
}
