const BILLION = 1_000_000_000n;
const [FIRST, LAST] = [-(2n ** 63n), 2n ** 63n - 1n];

/** Seconds as the inode has them, 64 bits with a sign, and the nanoseconds after them. A time past that is the nearest that is not. */
export function splitTime(mtime: bigint): { seconds: bigint; nanoseconds: number } {
  const nanoseconds = ((mtime % BILLION) + BILLION) % BILLION;
  const seconds = (mtime - nanoseconds) / BILLION;
  if (seconds < FIRST) return { seconds: FIRST, nanoseconds: 0 };
  if (seconds > LAST) return { seconds: LAST, nanoseconds: 999_999_999 };
  return { seconds, nanoseconds: Number(nanoseconds) };
}

export function joinTime(seconds: bigint, nanoseconds: number): bigint {
  return seconds * BILLION + BigInt(nanoseconds);
}

/** Whether an inode can have this time. */
export function isStorable(mtime: bigint): boolean {
  const { seconds, nanoseconds } = splitTime(mtime);
  return joinTime(seconds, nanoseconds) === mtime;
}
