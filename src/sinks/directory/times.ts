import { futimesSync, lutimesSync } from 'node:fs';
import type { Libc } from '../../host/libc.js';

const NANOS = 1_000_000_000n;
const MAX_SECONDS = 8.64e12; // as far as a Date goes, and further than any file system

/** A time as the system takes it: whole seconds since 1970, rounded down, and nanoseconds on top. */
export interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

export function splitTime(mtime: bigint): Time {
  let nanos = Number(mtime % NANOS);
  let seconds = Number(mtime / NANOS);
  if (nanos < 0) {
    nanos += 1e9;
    seconds -= 1;
  }
  return { seconds: Math.max(-MAX_SECONDS, Math.min(MAX_SECONDS, seconds)), nanos };
}

function joinTime({ seconds, nanos }: Time): bigint {
  return BigInt(seconds) * NANOS + BigInt(nanos);
}

/**
 * Sets mtimes, and atimes to the same. Node's calls take a double, which is exact for whole seconds only; what becomes of a
 * fraction depends on Node's version (20 and 22 cut it to microseconds). For fractions there is the C library.
 */
export class Clock {
  readonly #libc: Libc | undefined;

  constructor(libc: Libc | undefined) {
    this.#libc = libc;
  }

  /** At best, times in this second are cut to a multiple of so many nanoseconds. */
  step(seconds: number): number {
    if (this.#libc !== undefined) return 1;
    return hasMicros(seconds) ? 1000 : 1e9;
  }

  /** Of an open file. */
  setOpen(fd: number, seconds: number, nanos: number): void {
    if (this.#libc === undefined || nanos === 0) {
      const time = nodeTime(seconds, nanos);
      futimesSync(fd, time, time);
    } else {
      const time = joinTime({ seconds, nanos });
      this.#libc.futimens(fd, time, time);
    }
  }

  /** Of a path, which is not followed. */
  set(path: Buffer, { seconds, nanos }: Time): void {
    if (this.#libc === undefined || nanos === 0) {
      const time = nodeTime(seconds, nanos);
      lutimesSync(path, time, time);
    } else {
      const time = joinTime({ seconds, nanos });
      this.#libc.utimensat(path, time, time);
    }
  }
}

/** Before 1970 Node truncates in the wrong direction; after 2038 a double cannot tell microseconds apart. */
function hasMicros(seconds: number): boolean {
  return seconds >= 0 && seconds < 2 ** 31;
}

/** Node takes a negative number for "now", but not a Date. It truncates, hence half a microsecond on top. */
function nodeTime(seconds: number, nanos: number): number | Date {
  if (seconds < 0) return new Date(seconds * 1000);
  const micros = hasMicros(seconds) ? Math.floor(nanos / 1000) : 0;
  return micros === 0 ? seconds : seconds + (micros + 0.5) / 1e6;
}
