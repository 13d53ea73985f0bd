import { BLOCK } from '../disk/block.js';
import type { Runs } from '../disk/runs.js';

/** Bytes of an entry in a table of chunks. */
export const CHUNK_ENTRY = 4;
/** A chunk has 2 to the power of so many blocks at most: five bits say how many. */
const MAX_BITS = 31;
/** The inode's word has the power in so many bits. */
export const CHUNK_BITS = 0x1f;

/** How a file with holes is cut into chunks of equal size, of which those that are all holes are left out. */
export interface Chunking {
  /** A chunk has 2 to this power of blocks. */
  readonly bits: number;
  readonly count: number;
  /** Blocks that are stored: those of chunks that hold anything. The last chunk ends where the file does. */
  readonly blocks: number;
}

/** The size of chunks with which data and tables take the least, for so many inodes that share the data. */
export function bestChunking(size: number, runs: Runs, sharers: number): Chunking {
  const total = Math.ceil(size / BLOCK);
  let best: Chunking | undefined;
  for (let bits = 0; bits <= MAX_BITS; bits++) {
    const chunking = { bits, count: Math.ceil(total / 2 ** bits), blocks: storedBlocks(total, runs, bits) };
    if (best === undefined || chunkedBytes(chunking, sharers) < chunkedBytes(best, sharers)) best = chunking;
    if (chunking.count <= 1) break;
  }
  return best!;
}

/** Bytes of data and tables. */
export function chunkedBytes({ count, blocks }: Chunking, sharers: number): number {
  return blocks * BLOCK + count * CHUNK_ENTRY * sharers;
}

/** The chunks that are stored, as pairs of first block and the block after the last: `runs`, grown to whole chunks. */
export function chunkRuns(size: number, runs: Runs, bits: number): Runs {
  const chunk = 2 ** bits;
  const total = Math.ceil(size / BLOCK);
  const grown: number[] = [];
  for (let i = 0; i < runs.length; i += 2) {
    const start = Math.floor(runs[i]! / chunk) * chunk;
    const end = Math.min(total, Math.ceil(runs[i + 1]! / chunk) * chunk);
    if (grown.length > 0 && start <= grown[grown.length - 1]!) grown[grown.length - 1] = end;
    else grown.push(start, end);
  }
  return grown;
}

function storedBlocks(total: number, runs: Runs, bits: number): number {
  const chunk = 2 ** bits;
  let blocks = 0;
  let last = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const start = Math.max(last, Math.floor(runs[i]! / chunk) * chunk);
    const end = Math.min(total, Math.ceil(runs[i + 1]! / chunk) * chunk);
    if (end > start) blocks += end - start;
    last = Math.max(last, end);
  }
  return blocks;
}

/** Writes a table of chunks into bytes: `first` is the block of the first one that is stored, the others follow. */
export function writeChunkTable(into: Buffer, { bits, count }: Chunking, runs: Runs, first: number): void {
  into.fill(0xff, 0, count * CHUNK_ENTRY);
  const chunk = 2 ** bits;
  let block = first;
  for (let i = 0; i < runs.length; i += 2) {
    for (let at = runs[i]!; at < runs[i + 1]!; at += chunk) {
      into.writeUInt32LE(block, (at / chunk) * CHUNK_ENTRY);
      block += Math.min(chunk, runs[i + 1]! - at);
    }
  }
}
