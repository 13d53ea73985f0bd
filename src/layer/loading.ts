import type { Allowance } from './unpack-allowance.js';
import type { Counts } from './unpack-counts.js';
import type { UnpackThreads } from './unpack-threads.js';

/** What the layers of one image share while they are opened together. */
export interface Loading {
  readonly threads: UnpackThreads;
  /** The bytes that they may come to, and their members. */
  readonly allowance: Allowance;
  readonly counts: Counts;
  /** The layer's place in the image, from 0. */
  readonly order: number;
  /** Told the stored bytes done so far. */
  progress(done: number): void;
}
