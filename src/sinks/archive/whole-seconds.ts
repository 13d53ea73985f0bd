const SECOND = 1_000_000_000n;
/** Seconds: formats that have no fraction have 32 bits for a time, too. */
const LATEST = 2 ** 32 - 1;

/** Seconds since 1970 as cpio and squashfs hold them: the nearest from 1970 to 2106. */
export function wholeSeconds(mtime: bigint): number {
  const seconds = mtime / SECOND - (mtime % SECOND < 0n ? 1n : 0n);
  return Math.max(0, Math.min(LATEST, Number(seconds)));
}

/** Whether such a format holds a time as it is. */
export function isWhole(mtime: bigint): boolean {
  return BigInt(wholeSeconds(mtime)) * SECOND === mtime;
}
