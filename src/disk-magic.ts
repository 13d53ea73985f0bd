/** Where an ext2, ext3 or ext4 file system has its superblock, in bytes from its start, and its magic number in there. */
export const EXT_SUPERBLOCK = 1024;
export const EXT_MAGIC = { at: 56, number: 0xef53 } as const;
/** In there too: its features, and that blocks have numbers of 64 bits, as large file systems have them. */
const EXT_INCOMPATIBLE = 96;
const EXT_WIDE = 0x80;

/** Where EROFS has its superblock, and its magic number at the start of it. */
const EROFS_SUPERBLOCK = 1024;
const EROFS_MAGIC = 0xe0f5e1e2;

/** Squashfs has its superblock, and its magic number at the start of it, where the file begins. */
const SQUASHFS_MAGIC = 0x73717368;

/** The bytes that {@link diskKindOf} looks at. */
export const DISK_HEAD = EXT_SUPERBLOCK + EXT_MAGIC.at + 2;
/** The bytes that {@link fileSystemBytes} looks at. */
export const SUPERBLOCKS = 2048;

/** Which file system a file begins with, told by its first bytes, {@link DISK_HEAD} of them or all there are. */
export function diskKindOf(head: Buffer): 'ext' | 'erofs' | 'squashfs' | undefined {
  if (head.length < DISK_HEAD) return undefined;
  if (head.readUInt32LE(0) === SQUASHFS_MAGIC) return 'squashfs';
  if (head.readUInt32LE(EROFS_SUPERBLOCK) === EROFS_MAGIC) return 'erofs';
  return head.readUInt16LE(EXT_SUPERBLOCK + EXT_MAGIC.at) === EXT_MAGIC.number ? 'ext' : undefined;
}

/** How many bytes the file system says that it has, told by a file's first bytes, {@link SUPERBLOCKS} of them. Nobody has checked it. */
export function fileSystemBytes(head: Buffer): number | undefined {
  if (head.length < SUPERBLOCKS) return undefined;
  switch (diskKindOf(head)) {
    case 'squashfs':
      return Number(head.readBigUInt64LE(40));
    case 'erofs':
      return head.readUInt32LE(EROFS_SUPERBLOCK + 36) * 2 ** (head[EROFS_SUPERBLOCK + 12]! & 31);
    case 'ext': {
      const isWide = (head.readUInt32LE(EXT_SUPERBLOCK + EXT_INCOMPATIBLE) & EXT_WIDE) !== 0;
      const high = isWide ? head.readUInt32LE(EXT_SUPERBLOCK + 336) * 2 ** 32 : 0;
      const blockSize = 1024 * 2 ** (head.readUInt32LE(EXT_SUPERBLOCK + 24) & 7);
      return (head.readUInt32LE(EXT_SUPERBLOCK + 4) + high) * blockSize;
    }
    default:
      return undefined;
  }
}
