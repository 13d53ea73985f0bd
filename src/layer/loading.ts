import type { Counts } from '../compression/counts.js';
import type { DecompressPool } from '../compression/decompress-pool.js';
import type { Allowance } from '../threads/allowance.js';

/** What the layers of one image share while they are opened together. */
export interface Loading {
  readonly threads: DecompressPool;
  /** The bytes that they may come to, and their members. */
  readonly allowance: Allowance;
  readonly counts: Counts;
  /** The layer's place in the image, from 0. */
  readonly order: number;
  /** Told the stored bytes done so far. */
  progress(done: number): void;
}
