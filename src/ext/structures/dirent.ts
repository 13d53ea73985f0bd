import { BLOCK } from './features.js';

/** Directory entries. Source: Linux, Documentation/filesystems/ext4/directory.rst. */
export const FILE_TYPE = {
  file: 1,
  directory: 2,
  char: 3,
  block: 4,
  fifo: 5,
  symlink: 7,
} as const;

export const MAX_NAME = 255;

/** Bytes that an entry takes in its block. */
export function entrySize(name: string): number {
  return (8 + name.length + 3) & ~3;
}

/** Writes one entry; the record may be longer than the entry. */
export function writeEntry(
  block: Buffer,
  at: number,
  entry: { readonly inode: number; readonly name: string; readonly type: number; readonly record: number },
): void {
  block.writeUInt32LE(entry.inode, at);
  block.writeUInt16LE(entry.record, at + 4);
  block[at + 6] = entry.name.length;
  block[at + 7] = entry.type;
  block.write(entry.name, at + 8, 'latin1');
}

/** The entries `.` and `..`; the second's record reaches the end of the block or of `end`. */
export function writeDots(block: Buffer, self: number, parent: number, end: number = BLOCK): void {
  writeEntry(block, 0, { inode: self, name: '.', type: FILE_TYPE.directory, record: 12 });
  writeEntry(block, 12, { inode: parent, name: '..', type: FILE_TYPE.directory, record: end - 12 });
}
