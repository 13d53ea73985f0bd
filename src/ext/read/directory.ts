import { readAt } from '../../disk/positioned.js';
import type { StoredInode } from '../structures/inode.js';
import { type BlockBudget, type BlockDevice, damaged, readBlockMap } from './block-map.js';

/** A name in a directory. */
export interface StoredName {
  readonly name: string;
  readonly inode: number;
}

const ENTRY_HEADER = 8;

/**
 * A directory's names, as they lie, without `.` and `..`. The index of a hashed directory looks like deleted entries, and is passed
 * over as such.
 */
export function* readNames(
  inode: StoredInode,
  device: BlockDevice,
  budget: BlockBudget,
): Generator<StoredName> {
  for (const { physical, count } of readBlockMap(inode, device, budget)) {
    for (let i = 0; i < count; i++) {
      const block = readAt(device.fd, (physical + i) * device.blockSize, device.blockSize);
      yield* namesIn(block);
    }
  }
}

function* namesIn(block: Buffer): Generator<StoredName> {
  for (let at = 0; at < block.length; ) {
    if (at + ENTRY_HEADER > block.length) throw damaged('a directory entry cut short');
    const inode = block.readUInt32LE(at);
    const record = recordLength(block.readUInt16LE(at + 4), block.length);
    const length = block[at + 6]!;
    if (
      record < ENTRY_HEADER ||
      record % 4 !== 0 ||
      at + record > block.length ||
      ENTRY_HEADER + length > record
    ) {
      throw damaged('a directory entry of an impossible length');
    }
    const start = at + ENTRY_HEADER;
    at += record;
    if (inode === 0) continue;
    const name = block.toString('latin1', start, start + length);
    if (name === '.' || name === '..') continue;
    if (name === '' || name.includes('/') || name.includes('\0'))
      throw damaged('an impossible name in a directory');
    yield { name, inode };
  }
}

/** In blocks of 64 KiB a record of the whole block does not fit its field. */
function recordLength(stored: number, blockSize: number): number {
  return blockSize === 65536 && (stored === 0 || stored === 65535) ? blockSize : stored;
}
