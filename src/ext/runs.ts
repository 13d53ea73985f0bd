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
