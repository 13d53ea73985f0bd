import { readAt } from '../../disk/positioned.js';
import type { Segment } from '../../rootfs/node.js';
import { CHUNK_BITS } from '../chunks.js';
import { LAYOUT, NO_BLOCK } from '../format.js';
import type { ReadBudget } from './budget.js';
import type { StoredInode } from './inode.js';
import { damaged, type FileSystem, unsupported } from './superblock.js';

/** A run of an inode's bytes and where it lies in the image. */
export type StoredRun = Required<Segment>;

/** The chunk format's bit for entries of eight bytes. */
const WIDE = 0x20;
/** Entries of a table that are read at a time. */
const PIECE = 8192;

/** Where an inode's bytes lie, in rising order, without the holes. */
export function runsOf(inode: StoredInode, fs: FileSystem, budget: ReadBudget): StoredRun[] {
  return inode.layout === LAYOUT.chunks ? chunkRuns(inode, fs, budget) : flatRuns(inode, fs);
}

function flatRuns({ layout, size, where, xattrsAt, xattrBytes }: StoredInode, fs: FileSystem): StoredRun[] {
  const { blockSize } = fs;
  const rest = layout === LAYOUT.inline ? size % blockSize : 0;
  const whole = size - rest;
  const runs: StoredRun[] = [];
  if (whole > 0) runs.push({ start: 0, length: whole, at: within(where * blockSize, whole, fs) });
  if (rest === 0) return runs;
  const at = within(xattrsAt + xattrBytes, rest, fs);
  if ((at % blockSize) + rest > blockSize) throw damaged('the end of a file crosses the end of its block');
  runs.push({ start: whole, length: rest, at });
  return runs;
}

function chunkRuns(inode: StoredInode, fs: FileSystem, budget: ReadBudget): StoredRun[] {
  const { size, where, xattrsAt, xattrBytes } = inode;
  if (where & ~(CHUNK_BITS | WIDE)) throw unsupported(`chunk format 0x${where.toString(16)}`);
  const entry = where & WIDE ? 8 : 4;
  const chunk = fs.blockSize * 2 ** (where & CHUNK_BITS);
  const count = Math.ceil(size / chunk);
  budget.takeBytes(count * entry);
  const table = Math.ceil((xattrsAt + xattrBytes) / entry) * entry;
  within(table, count * entry, fs);
  const runs: { start: number; length: number; at: number }[] = [];
  for (let first = 0; first < count; first += PIECE) {
    const piece = readAt(fs.fd, table + first * entry, Math.min(PIECE, count - first) * entry);
    for (let i = 0; i < piece.length / entry; i++) {
      const block = blockOf(piece, i, entry);
      if (block === NO_BLOCK) continue;
      const start = (first + i) * chunk;
      const length = Math.min(chunk, size - start);
      const at = within(block * fs.blockSize, length, fs);
      const last = runs[runs.length - 1];
      if (last !== undefined && last.start + last.length === start && last.at + last.length === at) {
        last.length += length;
        continue;
      }
      budget.takeRun();
      runs.push({ start, length, at });
    }
  }
  return runs;
}

function blockOf(piece: Buffer, index: number, entry: number): number {
  if (entry === 4) return piece.readUInt32LE(index * entry);
  if (piece.readUInt16LE(index * entry + 2) !== 0) throw unsupported('several devices');
  return piece.readUInt32LE(index * entry + 4);
}

/** The position, of bytes that must lie in the file system. */
function within(position: number, length: number, { size }: FileSystem): number {
  if (position + length > size) throw damaged('data past its end');
  return position;
}

/** The bytes of a directory or a symlink, block by block. */
export function* dataBlocks(inode: StoredInode, fs: FileSystem, budget: ReadBudget): Generator<Buffer> {
  if (inode.layout === LAYOUT.chunks) throw unsupported('a directory or a symlink in chunks');
  budget.takeBytes(inode.size);
  for (const { at, length } of flatRuns(inode, fs)) {
    for (let done = 0; done < length; done += fs.blockSize)
      yield readAt(fs.fd, at + done, Math.min(fs.blockSize, length - done));
  }
}
