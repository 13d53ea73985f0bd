import { BLOCK, INODE } from './features.js';
import { XATTRS_AT } from './inode.js';

/**
 * Extended attributes, in an inode's tail or in a block that inodes may share.
 * Source: Linux, Documentation/filesystems/ext4/attributes.rst, and fs/ext4/xattr.c for the hashes.
 */
export const XATTR_MAGIC = 0xea020000;
export const XATTR_ENTRY = 16;
export const BLOCK_HEADER = 32;
/** Inodes that may share one block. */
export const MAX_SHARERS = 1024;
/** Bytes for entries and values: the magic goes off in the inode, the header and a zero word at the entries' end in the block. */
export const INODE_ROOM = INODE - XATTRS_AT - 4;
export const BLOCK_ROOM = BLOCK - BLOCK_HEADER;
const END_MARK = 4;

/** Name prefixes and the index that stands for each; the longest that matches is taken. */
export const PREFIXES: readonly (readonly [string, number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

/** An attribute in its on-disk form. */
export interface StoredXattr {
  readonly index: number;
  /** Without the prefix; latin1. */
  readonly name: string;
  readonly value: Buffer;
}

const pad = (length: number) => (length + 3) & ~3;

/** Bytes that attributes need, the mark at the entries' end included. */
export function xattrsSize(xattrs: readonly StoredXattr[]): number {
  return xattrs.reduce(
    (sum, { name, value }) => sum + XATTR_ENTRY + pad(name.length) + pad(value.length),
    END_MARK,
  );
}

/** The order that a block's entries must have. */
export function byKey(a: StoredXattr, b: StoredXattr): number {
  return (
    a.index - b.index || a.name.length - b.name.length || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  );
}

/** Writes attributes into the zeroed tail of an inode. */
export function writeInodeXattrs(inode: Buffer, xattrs: readonly StoredXattr[]): void {
  inode.writeUInt32LE(XATTR_MAGIC, XATTRS_AT);
  writeEntries(inode.subarray(XATTRS_AT + 4), 0, xattrs);
}

/** Writes attributes, sorted by {@link byKey}, into a zeroed block that `sharers` inodes use. */
export function writeXattrBlock(block: Buffer, xattrs: readonly StoredXattr[], sharers: number): void {
  block.writeUInt32LE(XATTR_MAGIC, 0);
  block.writeUInt32LE(sharers, 4);
  block.writeUInt32LE(1, 8);
  const hashes = writeEntries(block, BLOCK_HEADER, xattrs);
  const hash = hashes.includes(0) ? 0 : hashes.reduce((sum, next) => rotate(sum, 16) ^ next, 0);
  block.writeUInt32LE(hash >>> 0, 12);
}

/** Entries from `at` upwards, values from the end of `area` down, offsets from its start. Returns the entries' hashes. */
function writeEntries(area: Buffer, at: number, xattrs: readonly StoredXattr[]): number[] {
  let end = area.length;
  return xattrs.map(({ index, name, value }) => {
    end -= pad(value.length);
    value.copy(area, end);
    const hash = entryHash(name, area.subarray(end, end + pad(value.length)));
    area[at] = name.length;
    area[at + 1] = index;
    area.writeUInt16LE(value.length === 0 ? 0 : end, at + 2);
    area.writeUInt32LE(value.length, at + 8);
    area.writeUInt32LE(hash, at + 12);
    area.write(name, at + XATTR_ENTRY, 'latin1');
    at += XATTR_ENTRY + pad(name.length);
    return hash;
  });
}

const rotate = (x: number, by: number) => (x << by) | (x >>> (32 - by));

/** Name characters are signed here, as x86 has them: the one form that every e2fsck of x86 and the new ones elsewhere take. */
function entryHash(name: string, padded: Buffer): number {
  let hash = 0;
  for (let i = 0; i < name.length; i++) hash = rotate(hash, 5) ^ ((name.charCodeAt(i) << 24) >> 24);
  for (let at = 0; at < padded.length; at += 4) hash = rotate(hash, 16) ^ padded.readUInt32LE(at);
  return hash >>> 0;
}
