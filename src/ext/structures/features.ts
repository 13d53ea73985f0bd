export { BLOCK } from '../../disk/block.js';

/** The three formats, which differ in the features they are made with. */
export type ExtFormat = 'ext2' | 'ext3' | 'ext4';

/** Bytes in an inode: room for nanoseconds, years past 2038 and small xattrs. */
export const INODE = 256;
/** The first inode that is not reserved; by custom `lost+found`. */
export const FIRST_INODE = 11;
export const ROOT_INODE = 2;

const BASE = ['ext_attr', 'dir_index', 'filetype', 'sparse_super', 'large_file'];
const JOURNALED = ['has_journal', ...BASE];

/**
 * What each is formatted with, in mke2fs's words; nothing else is on, whatever mke2fs.conf says.
 *
 * ext4 has extents, and what makes it ext4 for files over 2 TiB and directories over 65,000 subdirectories. It leaves
 * out what a stock mkfs.ext4 adds for large or living disks and for checks at run time: `64bit` (16 TiB is
 * enough), `flex_bg`, `metadata_csum`. So it mounts wherever ext4 does, from Linux 2.6.28 on, and in every boot loader.
 */
export const FEATURES: Readonly<Record<ExtFormat, readonly string[]>> = {
  ext2: BASE,
  ext3: JOURNALED,
  ext4: [...JOURNALED, 'extent', 'huge_file', 'dir_nlink', 'extra_isize'],
};

/** Incompatible features (`s_feature_incompat`): who does not know one must not read the file system. */
export const INCOMPAT = {
  filetype: 0x2,
  recover: 0x4,
  metaBg: 0x10,
  extents: 0x40,
  bits64: 0x80,
  flexBg: 0x200,
  checksumSeed: 0x2000,
  largeDir: 0x4000,
} as const;
