/**
 * The hash tree of dm-verity, format 1. Source: Linux, Documentation/admin-guide/device-mapper/verity.rst, and cryptsetup's
 * docs/on-disk-format-verity (wiki, DMVerity).
 */
export const VERITY_BLOCK = 4096;
/** Bytes of a SHA-256 digest. */
export const DIGEST = 32;
/** Digests in a block of the tree. */
export const PER_BLOCK = VERITY_BLOCK / DIGEST;

/** Blocks of each level of the tree over so many blocks of data, the top first; one block of data has no tree: its digest is the root. */
export function levelsOf(dataBlocks: number): number[] {
  const levels: number[] = [];
  for (let below = dataBlocks; below > 1; ) {
    below = Math.ceil(below / PER_BLOCK);
    levels.unshift(below);
  }
  return levels;
}

/** Blocks of a hash area: its superblock and the tree. */
export function hashBlocks(dataBlocks: number): number {
  return levelsOf(dataBlocks).reduce((sum, blocks) => sum + blocks, 1);
}

/** A level of the tree, or the data below it. */
export interface Level {
  readonly fd: number;
  /** In bytes. */
  readonly position: number;
  readonly blocks: number;
}

/** Where image and tree lie. */
export interface Places {
  readonly image: number;
  readonly tree: number;
  /** Of the hash area in `tree`, in bytes. */
  readonly hashOffset: number;
  readonly dataBlocks: number;
}

/** All levels, the top first, the data as the last. */
export function placeLevels({ image, tree, hashOffset, dataBlocks }: Places): Level[] {
  let position = hashOffset + VERITY_BLOCK; // behind the superblock
  const levels = levelsOf(dataBlocks).map((blocks) => {
    const level = { fd: tree, position, blocks };
    position += blocks * VERITY_BLOCK;
    return level;
  });
  return [...levels, { fd: image, position: 0, blocks: dataBlocks }];
}
