import { BLOCK } from './features.js';

/**
 * The index of a hashed directory: pairs of a hash and the logical block where names from that hash on begin. Looks
 * like empty directory entries to a kernel that does not know it.
 * Source: Linux, Documentation/filesystems/ext4/directory.rst, "Hash Tree Directories".
 */
const PAIR = 8;
const ROOT_PAIRS_AT = 32;
const NODE_PAIRS_AT = 8;
const HALF_MD4 = 1;
const INFO_LENGTH = 8;

export const ROOT_LIMIT = (BLOCK - ROOT_PAIRS_AT) / PAIR;
export const NODE_LIMIT = (BLOCK - NODE_PAIRS_AT) / PAIR;
/** Leaves that the two levels of ext2, ext3 and ext4 without `large_dir` can name. */
export const MAX_LEAVES = ROOT_LIMIT * NODE_LIMIT;

/** Where an index pair points. The first pair's hash is not stored: it is 0. */
export interface IndexPair {
  readonly hash: number;
  readonly block: number;
}

/** Writes the index into block 0, after `.` and `..`. `levels` counts the levels of nodes below it. */
export function writeRoot(block: Buffer, levels: number, pairs: readonly IndexPair[]): void {
  block[28] = HALF_MD4;
  block[29] = INFO_LENGTH;
  block[30] = levels;
  writePairs(block, ROOT_PAIRS_AT, ROOT_LIMIT, pairs);
}

/** Writes a node: one empty directory entry as large as the block, with the pairs in it. */
export function writeNode(block: Buffer, pairs: readonly IndexPair[]): void {
  block.writeUInt16LE(BLOCK, 4);
  writePairs(block, NODE_PAIRS_AT, NODE_LIMIT, pairs);
}

function writePairs(block: Buffer, at: number, limit: number, pairs: readonly IndexPair[]): void {
  pairs.forEach(({ hash, block: target }, i) => {
    block.writeUInt32LE(hash, at + i * PAIR);
    block.writeUInt32LE(target, at + i * PAIR + 4);
  });
  block.writeUInt16LE(limit, at);
  block.writeUInt16LE(pairs.length, at + 2);
}
