/** How bytes are stored. */
export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2';

/** The bytes that {@link compressionOf} looks at. */
export const MAGIC_LENGTH = 10;

/**
 * Tells how a file is compressed by its first bytes, {@link MAGIC_LENGTH} of them or all there are. Sources: RFC 1952
 * 2.3.1, RFC 8878 3.1 (a zstd file may begin with a skippable frame), the .xz file format 2.1.1.1, bzip2's decompress.c.
 */
export function compressionOf(head: Uint8Array): Compression {
  const starts = (...magic: number[]) => magic.every((byte, at) => head[at] === byte);
  if (starts(0x1f, 0x8b, 0x08)) return 'gzip';
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if ((head[0]! & 0xf0) === 0x50 && head[1] === 0x2a && head[2] === 0x4d && head[3] === 0x18) return 'zstd';
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz';
  if (starts(0x42, 0x5a, 0x68) && isBzip2Block(head)) return 'bzip2';
  return 'none';
}

/** `BZh` alone may begin a file's name in a tar; behind the block size stands the number of a block or of the end. */
function isBzip2Block(head: Uint8Array): boolean {
  const number = Buffer.from(head.subarray(4, MAGIC_LENGTH)).toString('hex');
  return head[3]! >= 0x31 && head[3]! <= 0x39 && (number === '314159265359' || number === '177245385090');
}
