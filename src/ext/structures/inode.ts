import type { Stamp } from './time.js';

/** Inodes. Source: Linux, Documentation/filesystems/ext4/inodes.rst. */
export const FORMAT_BITS = 0xf000;
export const FORMAT = {
  fifo: 0x1000,
  char: 0x2000,
  directory: 0x4000,
  block: 0x6000,
  file: 0x8000,
  symlink: 0xa000,
  socket: 0xc000,
} as const;

/** `i_flags`. */
export const FLAG = { indexed: 0x1000, extents: 0x80000, eaInode: 0x200000, inlineData: 0x10000000 } as const;

/** Where `i_block` lies, and its bytes: block numbers, extents, a short symlink's target or a device number. */
export const MAP_AT = 40;
export const MAP_SIZE = 60;
/** Bytes of the fixed fields past the first 128. */
const EXTRA_SIZE = 32;
/** Where xattrs begin in our inodes. */
export const XATTRS_AT = 128 + EXTRA_SIZE;

const TIMES_AT = [8, 12, 16, 144];
const EXTRA_TIMES_AT = [132, 136, 140, 148];
const GENERATION_AT = 100;

/** An inode's fields. */
export interface InodeFields {
  /** {@link FORMAT} and permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** All four of its times. */
  readonly time: Stamp;
  readonly links: number;
  /** Of 512 bytes: content, map and xattr blocks. */
  readonly sectors: number;
  readonly flags: number;
  /** The block of xattrs, or 0. */
  readonly xattrBlock: number;
}

/** Writes the fields into a zeroed inode; `i_block` and the xattrs within the inode are the caller's. */
export function encodeInode(into: Buffer, fields: InodeFields): void {
  const { mode, uid, gid, size, time, links, sectors } = fields;
  into.writeUInt16LE(mode, 0);
  into.writeUInt16LE(uid & 0xffff, 2);
  into.writeUInt32LE(size % 2 ** 32, 4);
  for (const at of TIMES_AT) into.writeInt32LE(time.seconds, at);
  for (const at of EXTRA_TIMES_AT) into.writeUInt32LE(time.extra, at);
  into.writeUInt16LE(gid & 0xffff, 24);
  into.writeUInt16LE(links, 26);
  into.writeUInt32LE(sectors % 2 ** 32, 28);
  into.writeUInt32LE(fields.flags, 32);
  into.writeUInt32LE(fields.xattrBlock, 104);
  into.writeUInt32LE(Math.floor(size / 2 ** 32), 108);
  into.writeUInt16LE(Math.floor(sectors / 2 ** 32), 116);
  into.writeUInt16LE(uid >>> 16, 120);
  into.writeUInt16LE(gid >>> 16, 122);
  into.writeUInt16LE(EXTRA_SIZE, 128);
}

/** What a reader needs of an inode. */
export interface StoredInode extends Omit<InodeFields, 'sectors'> {
  /** `i_block`, {@link MAP_SIZE} bytes. */
  readonly map: Buffer;
  /** The bytes after the fixed fields. */
  readonly tail: Buffer;
}

/** Reads an inode of any size from 128 bytes up. */
export function decodeInode(raw: Buffer): StoredInode {
  const extra = raw.length > 128 ? Math.min(raw.readUInt16LE(128), raw.length - 128) : 0;
  return {
    mode: raw.readUInt16LE(0),
    uid: raw.readUInt16LE(2) + raw.readUInt16LE(120) * 2 ** 16,
    gid: raw.readUInt16LE(24) + raw.readUInt16LE(122) * 2 ** 16,
    size: raw.readUInt32LE(4) + raw.readUInt32LE(108) * 2 ** 32,
    time: { seconds: raw.readInt32LE(16), extra: extra >= 12 ? raw.readUInt32LE(136) : 0 },
    links: raw.readUInt16LE(26),
    flags: raw.readUInt32LE(32),
    xattrBlock: raw.readUInt32LE(104) + raw.readUInt16LE(118) * 2 ** 32,
    map: raw.subarray(MAP_AT, MAP_AT + MAP_SIZE),
    tail: raw.subarray(Math.min(128 + extra, raw.length)),
  };
}

/** Sets the times of an inode that mke2fs has made, and what else it may take from a clock or a dice. */
export function pinTimes(raw: Buffer, seconds: number): Buffer {
  for (const at of TIMES_AT) raw.writeUInt32LE(seconds, at);
  for (const at of EXTRA_TIMES_AT) raw.writeUInt32LE(0, at);
  raw.writeUInt32LE(0, GENERATION_AT);
  return raw;
}
