/** Bytes in a block: the size that every kernel's page holds, and the only one we format with. */
export const BLOCK = 4096;

/** A run of a file's blocks that lie one after another on the disk. */
export interface Extent {
  readonly logical: number;
  readonly physical: number;
  readonly count: number;
}
