import type { Node } from '../rootfs/node.js';

/**
 * The on-disk format. Source: Linux, fs/erofs/erofs_fs.h, and Documentation/filesystems/erofs.rst.
 */
export const SUPERBLOCK_AT = 1024;
export const SUPERBLOCK_SIZE = 128;
export const MAGIC = 0xe0f5e1e2;
/** Inodes are addressed in units of so many bytes. */
export const SLOT = 32;
/** Bytes of an inode's core: in the form with 32-bit owners, nanoseconds and a size of 64 bits, and in the short one. */
export const EXTENDED = 64;
export const COMPACT = 32;
/** No block: of a flat file without a full block, and of a hole in a chunk-based one. */
export const NO_BLOCK = 0xffffffff;

/** Offsets in the superblock. */
export const SUPER = {
  checksum: 4,
  compat: 8,
  blockBits: 12,
  rootNid: 14,
  inodes: 16,
  epoch: 24,
  epochNanoseconds: 32,
  blocks: 36,
  metaBlock: 40,
  xattrBlock: 44,
  uuid: 48,
  label: 64,
  incompat: 80,
  directoryBlockBits: 90,
} as const;

/** Compatible features: who does not know one may read the file system all the same. */
export const COMPAT = { checksum: 1, mtime: 2 } as const;
/** Incompatible ones. */
export const CHUNKED = 4;
/** A compressed file's clusters end where their blocks do. Says nothing of other files; mkfs.erofs may set it without need. */
export const ZERO_PADDING = 1;

/** How an inode's data lie: bits 1 to 3 of `i_format`. */
export const LAYOUT = { plain: 0, compressedFull: 1, inline: 2, compressed: 3, chunks: 4 } as const;
export type Layout = (typeof LAYOUT)[keyof typeof LAYOUT];

/** The bits of `i_mode` that hold the type. */
export const TYPE_BITS = 0o170000;
export const SOCKET = 0o140000;

/** What a directory entry says of the type. */
export const ENTRY_TYPE: Readonly<Record<Node['kind'], number>> = {
  file: 1,
  directory: 2,
  char: 3,
  block: 4,
  fifo: 5,
  symlink: 7,
};
