import type { Context } from './context.js';
import { diskKind, openDisk } from './disk-tree.js';
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
  if (kind !== undefined) {
    const mayAdd = kind === 'ext' ? ['lost+found'] : [];
    return { ...(await openDisk(path, kind)), mayAdd, verified: Promise.resolve() };
  }
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
