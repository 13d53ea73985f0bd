/**
 * Blocks that hold bytes, as pairs of first block and the block after the last, in rising order with gaps between:
 * `[0, 3, 7, 8]` is blocks 0, 1, 2 and 7. What lies between is a hole.
 */
export type Runs = readonly number[];

/** All blocks of a file without holes. */
export function wholeRun(blocks: number): Runs {
  return blocks === 0 ? [] : [0, blocks];
}

export function blocksIn(runs: Runs): number {
  let blocks = 0;
  for (let i = 0; i < runs.length; i += 2) blocks += runs[i + 1]! - runs[i]!;
  return blocks;
}

/** Gathers block numbers, given in rising order, into runs. */
export class RunBuilder {
  readonly runs: number[] = [];

  /** Adds a block; one that is the last added already changes nothing. */
  add(block: number): void {
    const { runs } = this;
    const end = runs[runs.length - 1];
    if (end === block) runs[runs.length - 1] = block + 1;
    else if (end === undefined || end < block) runs.push(block, block + 1);
  }
}

/** The blocks that are in any of the runs. */
export function union(parts: readonly Runs[]): Runs {
  const pairs: (readonly [number, number])[] = [];
  for (const runs of parts) for (let i = 0; i < runs.length; i += 2) pairs.push([runs[i]!, runs[i + 1]!]);
  pairs.sort(([a], [b]) => a - b);
  const merged: number[] = [];
  for (const [start, end] of pairs) {
    const last = merged[merged.length - 1];
    if (last === undefined || start > last) merged.push(start, end);
    else if (end > last) merged[merged.length - 1] = end;
  }
  return merged;
}

/** The blocks from `start` to before `end`, counted from `start`. */
export function intersect(runs: Runs, start: number, end: number): Runs {
  const found: number[] = [];
  for (let i = firstEndingAfter(runs, start); i < runs.length && runs[i]! < end; i += 2) {
    found.push(Math.max(runs[i]!, start) - start, Math.min(runs[i + 1]!, end) - start);
  }
  return found;
}

/** The index of the first run that ends after a block. */
function firstEndingAfter(runs: Runs, block: number): number {
  let low = 0;
  let high = runs.length / 2;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (runs[middle * 2 + 1]! <= block) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
