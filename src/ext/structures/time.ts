/**
 * Times in an inode: 32 signed bits of seconds, and a word with nanoseconds in its upper 30 bits and two more bits of
 * seconds below. Source: Linux, Documentation/filesystems/ext4/inodes.rst, "Inode Timestamps".
 */
const GIGA = 1_000_000_000n;
const RANGE = 2 ** 32;
const FIRST = -(2n ** 31n) * GIGA;
/**
 * 2310-04-04. The format goes on to 2446, but e2fsck takes what lies past this day for a time before 1970 written by
 * an old kernel, and calls the file system damaged.
 */
const LAST = (3n * 2n ** 32n - 2n ** 31n) * GIGA - 1n;

/** A time as its two words. */
export interface Stamp {
  readonly seconds: number;
  readonly extra: number;
}

/** Whether a time, in nanoseconds since 1970, can be kept. */
export function isStorable(time: bigint): boolean {
  return time >= FIRST && time <= LAST;
}

/** A time's words; one out of range becomes the nearest that is in it. */
export function encodeTime(time: bigint): Stamp {
  const kept = time < FIRST ? FIRST : time > LAST ? LAST : time;
  let nanoseconds = Number(kept % GIGA);
  let seconds = Number(kept / GIGA);
  if (nanoseconds < 0) {
    nanoseconds += 1e9;
    seconds--;
  }
  const epoch = ((seconds - (seconds | 0)) / RANGE) & 3;
  return { seconds: seconds | 0, extra: ((nanoseconds << 2) | epoch) >>> 0 };
}

/** The time that two words mean. `extra` is 0 in inodes too small to have it. */
export function decodeTime({ seconds, extra }: Stamp): bigint {
  return BigInt(seconds + (extra & 3) * RANGE) * GIGA + BigInt(extra >>> 2);
}
