import type { Runs } from '../disk/runs.js';
import type { Chunking } from './chunks.js';
import type { Layout } from './format.js';
import type { NumberedTree } from './numbering.js';

/** A file that is cut into chunks. */
export interface ChunkedFile extends Chunking {
  /** What is stored, in whole chunks. */
  readonly runs: Runs;
}

/** Where everything lies: decides the bytes of an image. Arrays go by inode number. */
export interface ImagePlan {
  readonly tree: NumberedTree;
  /** In bytes from the image's start. */
  readonly positions: Float64Array;
  readonly layouts: Uint8Array;
  /** The inode's first block of data, counted from where data begin; {@link NO_BLOCK} for none. */
  readonly firstBlocks: Uint32Array;
  /** Not 0: its blocks are those of an inode before, which are written with that. */
  readonly isShared: Uint8Array;
  readonly chunked: ReadonlyMap<number, ChunkedFile>;
  readonly size: ImageSize;
  layoutOf(number: number): Layout;
}

/** What an image consists of, in blocks. */
export interface ImageSize {
  /** Superblock, inodes, xattrs, and what lies behind inodes. */
  readonly inodeBlocks: number;
  readonly directoryBlocks: number;
  readonly symlinkBlocks: number;
  readonly fileBlocks: number;
  /** Blocks that are not stored, since other files have them. */
  readonly sharedBlocks: number;
  readonly blocks: number;
  readonly inodes: number;
}
