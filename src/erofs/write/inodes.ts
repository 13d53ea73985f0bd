import { setImmediate as turn } from 'node:timers/promises';
import { BLOCK } from '../../disk/block.js';
import { GatheringWriter } from '../../disk/gathering.js';
import { writeAt } from '../../disk/positioned.js';
import { throwIfAborted } from '../../errors.js';
import { ContentReader } from '../../layer/content.js';
import { SLOT } from '../format.js';
import type { ErofsPlan } from '../plan.js';
import { writeSuperblock } from '../superblock.js';
import { InodeEncoder } from './encode.js';

/** Blocks of inodes between two turns of others. */
const STEP = 64;
const NONE = -1;

/** Writes all inodes with what lies behind them, and the superblock, block by block from front to back. */
export async function writeInodes(fd: number, plan: ErofsPlan, signal: AbortSignal): Promise<void> {
  const { positions, size } = plan.image;
  const { heads, next } = inodesByBlock(positions, size.inodeBlocks);
  const writer = new GatheringWriter(fd);
  const reader = new ContentReader();
  const encoder = new InodeEncoder(plan.image, reader);
  /** The end of an inode that is larger than a block. */
  let rest: Buffer | undefined;
  try {
    for (let block = 0; block < size.inodeBlocks; block++) {
      const into = writer.at(block * BLOCK, BLOCK);
      rest?.copy(into);
      rest = undefined;
      for (let number = heads[block]!; number !== NONE; number = next[number]!) {
        const bytes = encoder.sizeOf(number);
        const at = positions[number]! % BLOCK;
        if (bytes <= BLOCK) {
          encoder.encode(number, into.subarray(at, at + bytes));
          continue;
        }
        const whole = Buffer.alloc(bytes);
        encoder.encode(number, whole);
        whole.copy(into);
        // It has all its blocks for itself, but for the end of the last.
        const end = Math.floor(bytes / BLOCK);
        writer.flush();
        writeAt(fd, whole.subarray(BLOCK, end * BLOCK), (block + 1) * BLOCK);
        rest = whole.subarray(end * BLOCK);
        block += end - 1;
      }
      if (block === 0) writeSuperblock(into, superblockOf(plan));
      if (block % STEP !== 0) continue;
      await turn();
      throwIfAborted(signal);
    }
    writer.flush();
  } finally {
    reader.close();
  }
}

/** Inodes by the block that they begin in, as lists: the first of each block, and of each inode the next in its block. */
function inodesByBlock(positions: Float64Array, blocks: number): { heads: Int32Array; next: Int32Array } {
  const heads = new Int32Array(blocks).fill(NONE);
  const next = new Int32Array(positions.length);
  for (let number = positions.length - 1; number >= 0; number--) {
    const block = Math.floor(positions[number]! / BLOCK);
    next[number] = heads[block]!;
    heads[block] = number;
  }
  return { heads, next };
}

function superblockOf({ image, identity }: ErofsPlan): Parameters<typeof writeSuperblock>[1] {
  const { size, positions, chunked } = image;
  const { blocks, inodes } = size;
  return { ...identity, rootNid: positions[0]! / SLOT, inodes, blocks, hasChunks: chunked.size > 0 };
}
