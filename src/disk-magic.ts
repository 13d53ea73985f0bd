/** Where an ext2, ext3 or ext4 file system has its superblock, in bytes from its start, and its magic number in there. */
export const EXT_SUPERBLOCK = 1024;
export const EXT_MAGIC = { at: 56, number: 0xef53 } as const;

/** Where EROFS has its superblock, and its magic number at the start of it. */
const EROFS_SUPERBLOCK = 1024;
const EROFS_MAGIC = 0xe0f5e1e2;

/** Squashfs has its superblock, and its magic number at the start of it, where the file begins. */
const SQUASHFS_MAGIC = 0x73717368;

/** The bytes that {@link diskKindOf} looks at. */
export const DISK_HEAD = EXT_SUPERBLOCK + EXT_MAGIC.at + 2;

/** Which file system a file begins with, told by its first bytes, {@link DISK_HEAD} of them or all there are. */
export function diskKindOf(head: Buffer): 'ext' | 'erofs' | 'squashfs' | undefined {
  if (head.length < DISK_HEAD) return undefined;
  if (head.readUInt32LE(0) === SQUASHFS_MAGIC) return 'squashfs';
  if (head.readUInt32LE(EROFS_SUPERBLOCK) === EROFS_MAGIC) return 'erofs';
  return head.readUInt16LE(EXT_SUPERBLOCK + EXT_MAGIC.at) === EXT_MAGIC.number ? 'ext' : undefined;
}
