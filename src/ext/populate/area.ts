import { GatheringWriter } from '../../disk/gathering.js';
import type { Runs } from '../../disk/runs.js';
import type { Extent } from '../structures/extent.js';
import { BLOCK } from '../structures/features.js';
import type { Region } from './space.js';

/** Gives each run of a file's blocks its place on the disk. */
export function place(runs: Runs, region: Region): Extent[] {
  const extents: Extent[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    for (let logical = runs[i]!; logical < runs[i + 1]!; ) {
      const { first, count } = region.take(runs[i + 1]! - logical);
      extents.push({ logical, physical: first, count });
      logical += count;
    }
  }
  return extents;
}

/** The numbers of the blocks, in logical order. */
export function* blockNumbers(extents: readonly Extent[]): Generator<number, never> {
  for (const { physical, count } of extents) for (let i = 0; i < count; i++) yield physical + i;
  throw new Error('more blocks are written than were counted');
}

/** A region whose blocks are written one by one, from front to back. */
export class Area {
  readonly region: Region;
  readonly #writer: GatheringWriter;

  constructor(fd: number, region: Region) {
    this.region = region;
    this.#writer = new GatheringWriter(fd);
  }

  /** A block of the region, zeroed, to fill in; good until the next call. */
  block(number: number): Buffer {
    return this.#writer.at(number * BLOCK, BLOCK);
  }

  /** Takes the next block and has it filled in; returns its number. */
  add(fill: (block: Buffer) => void): number {
    const { first } = this.region.take(1);
    fill(this.block(first));
    return first;
  }

  flush(): void {
    this.#writer.flush();
  }
}
