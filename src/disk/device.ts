/**
 * Device numbers in one word, as Linux has them since 2.6.
 * Source: Linux, include/linux/kdev_t.h (new_encode_dev, new_decode_dev).
 */
export const MAX_MAJOR = 0xfff;
export const MAX_MINOR = 0xfffff;

export interface DeviceNumber {
  readonly major: number;
  readonly minor: number;
}

export function deviceWord({ major, minor }: DeviceNumber): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}

export function deviceOfWord(word: number): DeviceNumber {
  return { major: (word >>> 8) & MAX_MAJOR, minor: (word & 0xff) | ((word >>> 12) & 0xfff00) };
}
