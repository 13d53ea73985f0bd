import { readInto, writeAt } from '../disk/positioned.js';
import { BlockHasher } from './block-hasher.js';
import { DIGEST, type Level, PER_BLOCK, VERITY_BLOCK } from './levels.js';

/** Blocks that a thread takes at a time: their digests fill whole blocks. */
const WINDOW = 2 * PER_BLOCK;

/**
 * One pass over the blocks of a level: the digest of each is written to the level above, or compared with what is there. Threads
 * share it, and all its arrays.
 */
export interface Pass {
  readonly level: Level;
  readonly above: Level;
  readonly salt: Uint8Array;
  /** Absent: digests are written. */
  readonly findings?: Findings;
  /** The window that the next free thread takes. */
  readonly next: Uint32Array;
  /** Not 0 once all are to stop. */
  readonly stop: Uint32Array;
  /** Bytes done by each thread. */
  readonly done: Float64Array;
}

/** What a comparison finds, with a bit for each block. No two threads write to one byte, since a window has a multiple of eight blocks. */
export interface Findings {
  /** Blocks of the level above whose digests say nothing. What is below them is not compared. */
  readonly distrusted: Uint8Array;
  /** Blocks of the level that do not have the digest that they should. */
  readonly wrong: Uint8Array;
}

export function isSet(bits: Uint8Array, index: number): boolean {
  return (bits[index >> 3]! & (1 << (index & 7))) !== 0;
}

export function set(bits: Uint8Array, index: number): void {
  bits[index >> 3]! |= 1 << (index & 7);
}

/** Works on a pass as thread `me` until no window is left. Yields now and then. */
export function* work(pass: Pass, me: number): Generator<void, void> {
  const { level, above, salt, findings, next, stop, done } = pass;
  const hasher = new BlockHasher(salt);
  const [bytes, digests, stored] = [VERITY_BLOCK, DIGEST, DIGEST].map((size) =>
    Buffer.allocUnsafeSlow(WINDOW * size),
  ) as [Buffer, Buffer, Buffer];
  for (;;) {
    const first = Atomics.add(next, 0, 1) * WINDOW;
    if (first >= level.blocks || Atomics.load(stop, 0) !== 0) return;
    const count = Math.min(WINDOW, level.blocks - first);
    readInto(level.fd, bytes.subarray(0, count * VERITY_BLOCK), level.position + first * VERITY_BLOCK);
    for (let i = 0; i < count; i++)
      hasher.digest(bytes.subarray(i * VERITY_BLOCK, (i + 1) * VERITY_BLOCK)).copy(digests, i * DIGEST);
    const at = above.position + first * DIGEST;
    if (findings === undefined) writeAt(above.fd, digests.subarray(0, count * DIGEST), at);
    else {
      readInto(above.fd, stored.subarray(0, count * DIGEST), at);
      compare(first, count, digests, stored, findings);
    }
    done[me]! += count * VERITY_BLOCK;
    yield;
  }
}

function compare(
  first: number,
  count: number,
  digests: Buffer,
  stored: Buffer,
  { distrusted, wrong }: Findings,
): void {
  for (let i = 0; i < count; i++) {
    if (isSet(distrusted, Math.floor((first + i) / PER_BLOCK))) continue;
    const [from, to] = [i * DIGEST, (i + 1) * DIGEST];
    if (digests.compare(stored, from, to, from, to) !== 0) set(wrong, first + i);
  }
}
