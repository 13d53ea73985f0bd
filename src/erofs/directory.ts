import { BLOCK } from '../disk/block.js';
import type { Directory } from '../rootfs/node.js';

/**
 * Directories: blocks of entries with their names behind them.
 * Source: Linux, fs/erofs/erofs_fs.h (`erofs_dirent`) and fs/erofs/namei.c, which searches them by halves.
 */
export const ENTRY = 12;
export const MAX_NAME = 255;

/** A directory's names, `.` and `..` among them, in the order in which they are stored: that of their bytes. */
export function storedNames({ children }: Directory): string[] {
  // The default order is that of UTF-16 units, which for latin1 are the bytes.
  return ['.', '..', ...children.keys()].sort();
}

/** How a directory's names come to lie in blocks. */
export interface PackedNames {
  /** For each block the index of its first name. */
  readonly firsts: readonly number[];
  /** All blocks but the last count whole. */
  readonly size: number;
}

export function packNames(names: readonly string[]): PackedNames {
  const firsts: number[] = [0];
  let used = 0;
  for (const [index, { length }] of names.entries()) {
    if (used + ENTRY + length > BLOCK) {
      firsts.push(index);
      used = 0;
    }
    used += ENTRY + length;
  }
  return { firsts, size: (firsts.length - 1) * BLOCK + used };
}

/** An entry to write. */
export interface StoredEntry {
  readonly name: string;
  readonly nid: number;
  readonly type: number;
}

/** Writes a block's entries into zeroed bytes. */
export function writeEntries(into: Buffer, entries: readonly StoredEntry[]): void {
  let nameAt = entries.length * ENTRY;
  for (const [index, { name, nid, type }] of entries.entries()) {
    const at = index * ENTRY;
    into.writeBigUInt64LE(BigInt(nid), at);
    into.writeUInt16LE(nameAt, at + 8);
    into[at + 10] = type;
    into.write(name, nameAt, 'latin1');
    nameAt += name.length;
  }
}
