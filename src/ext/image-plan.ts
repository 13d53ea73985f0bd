import type { Survey } from '../disk/survey.js';
import type { Census } from './census.js';
import type { Geometry } from './geometry.js';
import type { NumberedTree } from './numbering.js';
import type { HashSeed } from './structures/hash.js';

/** Everything that decides the bytes of an image. */
export interface ImagePlan {
  readonly tree: NumberedTree;
  readonly census: Census;
  readonly geometry: Geometry;
  readonly runsOf: Survey['runsOf'];
  readonly seed: HashSeed;
  /** Seconds since 1970, for everything that has a time and no inode of the tree behind it. */
  readonly time: number;
}
