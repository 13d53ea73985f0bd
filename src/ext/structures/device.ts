/**
 * Device numbers in `i_block`: the old form in its first word, the new in its second.
 * Source: Linux, include/linux/kdev_t.h (old_encode_dev, new_encode_dev) and fs/ext4/inode.c.
 */
export const MAX_MAJOR = 0xfff;
export const MAX_MINOR = 0xfffff;

/** The first two words of `i_block`. */
export function encodeDevice(major: number, minor: number): readonly [number, number] {
  if (major < 256 && minor < 256) return [(major << 8) | minor, 0];
  return [0, ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0];
}

export function decodeDevice(first: number, second: number): { major: number; minor: number } {
  if (first !== 0) return { major: (first >>> 8) & 0xff, minor: first & 0xff };
  return { major: (second >>> 8) & MAX_MAJOR, minor: (second & 0xff) | ((second >>> 12) & 0xfff00) };
}
