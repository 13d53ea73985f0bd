import { type DeviceNumber, deviceOfWord, deviceWord } from '../../disk/device.js';

/**
 * Device numbers in `i_block`: the old form in its first word, the new in its second.
 * Source: Linux, include/linux/kdev_t.h (old_encode_dev) and fs/ext4/inode.c.
 */
export function encodeDevice(major: number, minor: number): readonly [number, number] {
  if (major < 256 && minor < 256) return [(major << 8) | minor, 0];
  return [0, deviceWord({ major, minor })];
}

export function decodeDevice(first: number, second: number): DeviceNumber {
  if (first !== 0) return { major: (first >>> 8) & 0xff, minor: first & 0xff };
  return deviceOfWord(second);
}
