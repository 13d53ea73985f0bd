import { sharedUint32 } from '../../threads/shared.js';

/**
 * Work in chunks, dealt out to threads. Each thread has a run of neighbouring chunks and takes them in order, so that
 * threads stay out of each other's directories; who is done takes over the end of the longest run that is left.
 */
export interface Shares {
  /** Rows of chunk `i`: from `starts[i]` to `starts[i + 1]`. */
  readonly starts: Uint32Array;
  /** A run for each thread: its first chunk in the low half, the chunk after its last in the high half. */
  readonly runs: Uint32Array;
}

const MAX_CHUNKS = 0xffff;

/** Cuts `count` rows into chunks of at least `least` cost each, in equal runs for `threads`. */
export function share(count: number, cost: (row: number) => number, least: number, threads: number): Shares {
  let total = 0;
  for (let row = 0; row < count; row++) total += cost(row);
  const size = Math.max(least, total / (MAX_CHUNKS / 2));
  const starts = [0];
  let filled = 0;
  for (let row = 0; row < count; row++) {
    filled += cost(row);
    if (filled < size && row < count - 1) continue;
    starts.push(row + 1);
    filled = 0;
  }
  const chunks = starts.length - 1;
  const runs = sharedUint32(threads);
  for (let i = 0; i < threads; i++) {
    runs[i] = Math.floor((chunks * i) / threads) | (Math.floor((chunks * (i + 1)) / threads) << 16);
  }
  const shared = sharedUint32(starts.length);
  shared.set(starts);
  return { starts: shared, runs };
}

/** The next chunk for thread `me`, or -1 when all are taken. */
export function takeChunk({ runs }: Shares, me: number): number {
  for (;;) {
    const own = Atomics.load(runs, me);
    if (left(own) > 0) {
      if (Atomics.compareExchange(runs, me, own, own + 1) === own) return own & 0xffff;
      continue;
    }
    let from = -1;
    let most = 0;
    for (let i = 0; i < runs.length; i++) {
      const there = left(Atomics.load(runs, i));
      if (there > most) {
        most = there;
        from = i;
      }
    }
    if (from < 0) return -1;
    const run = Atomics.load(runs, from);
    if (left(run) === 0) continue;
    const last = (run >>> 16) - 1;
    if (Atomics.compareExchange(runs, from, run, ((last << 16) | (run & 0xffff)) >>> 0) === run) return last;
  }
}

function left(run: number): number {
  return (run >>> 16) - (run & 0xffff);
}
