import { type Counts, countsOf, raiseCounts } from '../compression/counts.js';
import type { Limits } from '../context.js';
import { Allowance } from '../threads/allowance.js';

/**
 * Bytes that may be unpacked for each stored one. Deflate makes at most 1,032 of one; other compressions make millions,
 * but of nothing that is worth it.
 */
const RATIO = 1100;

/** Bytes that may be unpacked in any case: small images with a large file of zeros are honest. */
const ROOM = 2 ** 30;

/** Entries that are read in any case, and the stored bytes beyond which there may be another; honest ones take ten and more. */
const ENTRIES = 150_000;
const STORED_PER_ENTRY = 8;

/**
 * What one input may cost, by its size as it is stored: the temporary bytes of all that is unpacked from it, one within
 * the other too, and the entries of an image in it. A limit that the user has named holds as it is.
 */
export class InputBounds {
  readonly #limits: Limits;
  #stored = 0;
  #expected = 0;
  /** All that is unpacked draws on it, besides the `maxSize` of each image. */
  readonly temporary: Allowance;
  /** The members of the input itself draw on it, where it is an archive that is unpacked. */
  readonly counts: Counts;

  /** `stored`: the bytes that are known from the start. */
  constructor(limits: Limits, stored = 0) {
    this.#limits = limits;
    this.temporary = new Allowance(0, {
      what: 'unpacks to more than # bytes, which is 1,100 times the size of the input and 1 GiB',
      hint: 'if you trust the image, say how much it may take, as {maxSize: 64G}',
    });
    this.counts = countsOf(limits);
    this.add(stored);
  }

  /** Counts stored bytes that have turned up. */
  add(stored: number): void {
    this.#stored += stored;
    const isNamed = this.#limits.named?.includes('maxSize');
    this.temporary.raise(isNamed ? Number.POSITIVE_INFINITY : RATIO * this.#stored + ROOM);
    raiseCounts(this.counts, this.limits);
  }

  /** Says how many stored bytes there will be, as far as the input says: what may be unpacked grows with those that turn up all the same. */
  expect(stored: number): void {
    this.#expected += stored;
    raiseCounts(this.counts, this.limits);
  }

  /** The bytes of holes that an output may hold as zeros. */
  get zeros(): number {
    return Math.min(this.#limits.maxSize, this.temporary.limit);
  }

  /** The limits on an image of this input. */
  get limits(): Limits {
    const { maxEntries, named } = this.#limits;
    if (named?.includes('maxEntries')) return this.#limits;
    const stored = Math.max(this.#stored, this.#expected);
    const fitting = ENTRIES + Math.floor(stored / STORED_PER_ENTRY);
    return { ...this.#limits, maxEntries: Math.min(maxEntries, fitting) };
  }
}
