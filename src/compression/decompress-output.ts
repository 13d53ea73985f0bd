import { readSync } from 'node:fs';
import { writeAll } from '../host/bytes.js';
import { metadataOf } from '../tar/footprint.js';
import { HeaderWalk } from '../tar/walk-headers.js';
import { Allowance } from '../threads/allowance.js';
import type { JobOutput } from './job.js';

/** The file that a tar is unpacked to. What it may take is drawn, and its headers are looked at, while it grows. */
export class DecompressOutput {
  readonly #fd: number;
  readonly #allowances: readonly Allowance[];
  readonly #walk: HeaderWalk | undefined;
  #size = 0;

  constructor({ fd, allowances, counts, most }: JobOutput) {
    this.#fd = fd;
    this.#allowances = allowances.map((shared) => new Allowance(shared));
    if (counts === undefined) return;
    const [entries, metadata] = [new Allowance(counts.entries), new Allowance(counts.metadata)];
    this.#walk = new HeaderWalk({
      most: most ?? Math.min(...this.#allowances.map(({ limit }) => limit)),
      onMembers: (count) => entries.spend(count),
      onUnusual: (entry) => metadata.spend(metadataOf(entry)),
    });
  }

  /** Bytes so far. */
  get size(): number {
    return this.#size;
  }

  /** Appends bytes. Throws `LIMIT`, and what the walk throws for a header that is none. */
  write(bytes: Uint8Array): void {
    for (const allowance of this.#allowances) allowance.spend(bytes.length);
    writeAll(this.#fd, bytes, this.#size);
    this.#size += bytes.length;
    this.#look(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  }

  /** Takes notice that somebody else has written the file up to `size`. Throws the same. */
  grown(size: number): void {
    for (const allowance of this.#allowances) allowance.spend(size - this.#size);
    this.#size = size;
    this.#look();
  }

  #look(last?: Buffer): void {
    const read = (target: Uint8Array, position: number) =>
      readSync(this.#fd, target, 0, target.length, position);
    this.#walk?.advance(this.#size, read, last);
  }
}
