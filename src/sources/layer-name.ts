import { type Digest, short } from '../oci/digest.js';

/** How errors and progress name a layer: `layer 3 of 7 (sha256:ab12…)`. `index` counts from 0. */
export function layerName(index: number, count: number, digest?: Digest): string {
  const place = `layer ${index + 1} of ${count}`;
  return digest === undefined ? place : `${place} (${short(digest)})`;
}
