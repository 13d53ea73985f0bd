import { futimesSync, lutimesSync } from 'node:fs';
import type { Libc } from '../../layer/libc.js';

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

export function joinTime({ seconds, nanos }: Time): bigint {
  return BigInt(seconds) * NANOS + BigInt(nanos);
}

/**
 * Sets mtimes, and atimes to the same. Node's calls keep whole seconds, and microseconds between 1970 and 2038 (beyond, a
 * double cannot tell them apart); for the rest there is the C library, and without it the time is cut.
 */
export class Clock {
  readonly #libc: Libc | undefined;

  constructor(libc: Libc | undefined) {
    this.#libc = libc;
  }

  /** The nanoseconds that times in this second are cut to a multiple of. */
  step(seconds: number): number {
    return this.#libc !== undefined ? 1 : nodeStep(seconds);
  }

  /** Of an open file. */
  setOpen(fd: number, seconds: number, nanos: number): void {
    if (this.#libc === undefined || nanos % nodeStep(seconds) === 0) {
      const time = nodeTime(seconds, nanos);
      futimesSync(fd, time, time);
    } else {
      const time = joinTime({ seconds, nanos });
      this.#libc.futimens(fd, time, time);
    }
  }

  /** Of a path, which is not followed. */
  set(path: Buffer, { seconds, nanos }: Time): void {
    if (this.#libc === undefined || nanos % nodeStep(seconds) === 0) {
      const time = nodeTime(seconds, nanos);
      lutimesSync(path, time, time);
    } else {
      const time = joinTime({ seconds, nanos });
      this.#libc.utimensat(path, time, time);
    }
  }
}

function nodeStep(seconds: number): number {
  return seconds >= 0 && seconds < 2 ** 31 ? 1000 : 1e9;
}

/** Node takes a negative number for "now", but not a Date; it truncates, hence the half microsecond on top. */
function nodeTime(seconds: number, nanos: number): number | Date {
  if (seconds < 0) return new Date(seconds * 1000);
  const micros = nodeStep(seconds) === 1000 ? Math.floor(nanos / 1000) : 0;
  return micros === 0 ? seconds : seconds + (micros + 0.5) / 1e6;
}
