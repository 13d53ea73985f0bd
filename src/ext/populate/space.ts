/** Blocks that lie one after another. */
export interface BlockRun {
  readonly first: number;
  readonly count: number;
}

/** The free blocks of a formatted image, handed out from front to back. */
export class Space {
  readonly #bitmap: Buffer;
  readonly #runs: Generator<BlockRun>;
  #rest: BlockRun | undefined;

  /** `bitmap` has a bit for each block, in order, set where the block is taken; it stays the caller's to read. */
  constructor(bitmap: Buffer) {
    this.#bitmap = bitmap;
    this.#runs = freeRuns(bitmap);
  }

  /** Sets aside the next `blocks` free blocks. */
  region(blocks: number): Region {
    const runs: BlockRun[] = [];
    for (let missing = blocks; missing > 0; ) {
      const run = this.#rest ?? (this.#runs.next().value as BlockRun | undefined);
      if (run === undefined) throw new Error(`the plan is short of ${missing} blocks`);
      const count = Math.min(run.count, missing);
      runs.push({ first: run.first, count });
      this.#rest = count < run.count ? { first: run.first + count, count: run.count - count } : undefined;
      missing -= count;
    }
    return new Region(runs, this.#bitmap);
  }
}

/** Blocks set aside for one purpose. */
export class Region {
  readonly #runs: readonly BlockRun[];
  readonly #bitmap: Buffer;
  #index = 0;
  #used = 0;

  constructor(runs: readonly BlockRun[], bitmap: Buffer) {
    this.#runs = runs;
    this.#bitmap = bitmap;
  }

  /** Takes the next blocks: as many as lie in one piece, `most` at most. */
  take(most: number): BlockRun {
    const run = this.#runs[this.#index];
    if (run === undefined) throw new Error('the plan set too few blocks aside');
    const first = run.first + this.#used;
    const count = Math.min(most, run.count - this.#used);
    this.#used += count;
    if (this.#used === run.count) {
      this.#index++;
      this.#used = 0;
    }
    setBits(this.#bitmap, first, count);
    return { first, count };
  }
}

function* freeRuns(bitmap: Buffer): Generator<BlockRun> {
  const end = bitmap.length * 8;
  const isTaken = (block: number) => (bitmap[block >>> 3]! >>> (block & 7)) & 1;
  for (let block = 0; block < end; ) {
    if (isTaken(block)) {
      block++;
      continue;
    }
    const first = block;
    while (block < end && !isTaken(block)) block += (block & 7) === 0 && bitmap[block >>> 3] === 0 ? 8 : 1;
    yield { first, count: block - first };
  }
}

/** Sets `count` bits from bit `first`. */
export function setBits(bitmap: Buffer, first: number, count: number): void {
  const end = first + count;
  let bit = first;
  for (; bit < end && (bit & 7) !== 0; bit++) bitmap[bit >>> 3]! |= 1 << (bit & 7);
  bitmap.fill(0xff, bit >>> 3, Math.max(bit, end & ~7) >>> 3);
  for (bit = Math.max(bit, end & ~7); bit < end; bit++) bitmap[bit >>> 3]! |= 1 << (bit & 7);
}

/** Clears one bit. */
export function clearBit(bitmap: Buffer, bit: number): void {
  bitmap[bit >>> 3]! &= ~(1 << (bit & 7));
}

/** How many of the first `bits` bits are 0. */
export function countClear(bitmap: Buffer, bits: number): number {
  let clear = 0;
  for (let bit = 0; bit < bits; bit++) if (((bitmap[bit >>> 3]! >>> (bit & 7)) & 1) === 0) clear++;
  return clear;
}
