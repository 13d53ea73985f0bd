import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Context } from './context.js';
import { FlattenError } from './errors.js';
import { readExt } from './ext/read.js';
import { refuseIdlePlatform } from './fits.js';
import { type InputOptions, withInput } from './input.js';
import { ContentReader } from './layer/content.js';
import { sameContent } from './layer/same-content.js';
import { compare, type Difference } from './rootfs/compare.js';
import type { Rootfs } from './rootfs/node.js';
import type { Image } from './sources/image.js';
import { openImage } from './sources/open.js';
import { loadTree } from './tree.js';

/** What {@link verify} is asked to do. */
export interface VerifyOptions extends InputOptions {
  /** The output: a disk image, a flat tar, a directory, or an image with its transport, as `oci:DIR`. */
  readonly output: string;
}

/** What {@link verify} found. */
export interface VerifyResult {
  readonly entries: number;
  readonly differences: readonly Difference[];
}

/** Reads an output back, without mounting it, and compares it with the tree of the image it was made of. */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  return withInput(options, undefined, async ({ image, tree, context }) => {
    refuseIdlePlatform(image, options);
    const { output } = options;
    const open = () => openImage(output, {}, context, { rootfsOnly: !isImage(output) });
    const differences = await differencesOf(output, open, tree.rootfs, context);
    await tree.verified;
    return { entries: tree.rootfs.entries, differences };
  });
}

/** Fails where what lies at `path` differs from the tree it was written from: a fault of the disk, the system, or flatten. */
export async function readBack(path: string, rootfs: Rootfs, context: Context): Promise<void> {
  const open = () => openImage(isImage(path) ? path : `rootfs:${path}`, {}, context);
  const [first, ...more] = await differencesOf(path, open, rootfs, context);
  if (first === undefined) return;
  const others = more.length === 0 ? '' : `, and ${more.length} more differences`;
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  const asRoot = isDirectory && process.getuid?.() !== 0;
  throw new FlattenError('LOSS', `read back: ${first.what}${others}`, {
    path: first.path || '.',
    ...(asRoot && { hint: 'owners and devices take root: run it as root, or without --verify' }),
  });
}

async function differencesOf(
  path: string,
  open: () => Promise<Image>,
  expected: Rootfs,
  context: Context,
): Promise<Difference[]> {
  const actual = await openTree(path, open, context);
  const readers = [new ContentReader(), new ContentReader()] as const;
  try {
    const { rootfs, mayAdd } = actual;
    return [...compare(expected, rootfs, { mayAdd, sameContent: (a, b) => sameContent(a, b, ...readers) })];
  } finally {
    for (const reader of readers) reader.close();
    await actual.close();
  }
}

interface OpenedTree {
  readonly rootfs: Rootfs;
  readonly mayAdd: readonly string[];
  close(): Promise<void>;
}

async function openTree(path: string, open: () => Promise<Image>, context: Context): Promise<OpenedTree> {
  if (isExt(path)) {
    const fd = openSync(path, 'r');
    try {
      return { rootfs: readExt(fd), mayAdd: ['lost+found'], close: async () => closeSync(fd) };
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }
  const image = await open();
  try {
    const tree = await loadTree(image.layers, { keepDirlinks: false }, context);
    const close = async () => {
      tree.close();
      await image.close();
    };
    return { rootfs: tree.rootfs, mayAdd: [], close };
  } catch (error) {
    await image.close();
    throw error;
  }
}

/** Whether the transport of an output says that it is an image. */
function isImage(output: string): boolean {
  return /^(oci|oci-archive|docker-archive):/.test(output);
}

/** The magic number of ext2, ext3 and ext4: 0xEF53 in the superblock, 1024 bytes into the file. */
function isExt(path: string): boolean {
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const fd = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(2);
    return readSync(fd, magic, 0, 2, 1024 + 56) === 2 && magic.readUInt16LE() === 0xef53;
  } finally {
    closeSync(fd);
  }
}
