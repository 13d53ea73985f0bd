import type { EntryType } from './entry.js';
import { BLOCK, FIELDS, quickSum } from './header.js';

export type UstarType = EntryType | 'pax' | 'long-name' | 'long-link';

/** A path as the block holds it. Text is latin1; what is longer than its field is cut. */
export interface UstarName {
  readonly prefix: string;
  readonly name: string;
}

/** The rest of what a block says. */
export interface UstarMetadata {
  readonly linkpath: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds; the block holds whole seconds, rounded down. */
  readonly mtime: bigint;
  readonly major: number;
  readonly minor: number;
}

const TYPEFLAGS: Readonly<Record<UstarType, string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
  pax: 'x',
  'long-name': 'L',
  'long-link': 'K',
};

type NumberField = 'mode' | 'uid' | 'gid' | 'size' | 'mtime' | 'major' | 'minor';

/** Writes a header block (POSIX.1-2017 `pax`, "ustar Interchange Format"), without user and group names. */
export function ustarBlock(
  type: UstarType,
  path: UstarName,
  size: number,
  { mode, uid, gid, mtime, linkpath, major, minor }: UstarMetadata,
): Buffer {
  EMPTY.copy(block);
  block.write(path.name, 0, 100, 'latin1');
  putNumber(block, 'mode', mode);
  putNumber(block, 'uid', uid);
  putNumber(block, 'gid', gid);
  putNumber(block, 'size', size);
  putNumber(block, 'mtime', inSeconds(mtime).seconds);
  block[156] = TYPEFLAGS[type].charCodeAt(0);
  if (linkpath !== '') block.write(linkpath, 157, 100, 'latin1');
  if (type === 'char' || type === 'block') {
    putNumber(block, 'major', major);
    putNumber(block, 'minor', minor);
  }
  if (path.prefix !== '') block.write(path.prefix, 345, 155, 'latin1');
  putOctal(block, 148, 7, quickSum(words, 0));
  return Buffer.from(block);
}

/** What all blocks have in common: the magic, device numbers of 0, the blank behind the checksum. */
const EMPTY = Buffer.alloc(BLOCK);
EMPTY.write('ustar\x0000', 257, 8, 'latin1');
EMPTY.write('0000000\x000000000', 329, 15, 'latin1');
EMPTY[155] = 0x20;

/** Where a block is made, and the same memory as words, which are quicker to sum. */
const words = new Int32Array(BLOCK / 4);
const block = Buffer.from(words.buffer);

/** Whether a number can stand in its field as octal digits and a NUL. */
export function fitsOctal(field: NumberField, value: number): boolean {
  return value >= 0 && value < (FIELDS[field][1] === 12 ? 8 ** 11 : 8 ** 7);
}

/** A time as a header holds it. */
export interface Seconds {
  readonly mtime: bigint;
  /** Since 1970, rounded down. */
  readonly seconds: number;
  /** Whether the time is just that. */
  readonly isWhole: boolean;
}

let last: Seconds = { mtime: 0n, seconds: 0, isWhole: true };

/** Neighbours mostly agree, and to divide a bigint takes as long as half a header: so the last time is kept. */
export function inSeconds(mtime: bigint): Seconds {
  if (mtime === last.mtime) return last;
  const towardsZero = mtime / 1_000_000_000n;
  const isWhole = towardsZero * 1_000_000_000n === mtime;
  const seconds = Number(mtime < 0n && !isWhole ? towardsZero - 1n : towardsZero);
  last = { mtime, seconds, isWhole };
  return last;
}

function putNumber(block: Buffer, field: NumberField, value: number): void {
  const [offset, length] = FIELDS[field];
  if (fitsOctal(field, value)) putOctal(block, offset, length, value);
  else putBase256(block, offset, length, value);
}

/** Digits up to the field's last byte, which stays NUL. */
function putOctal(block: Buffer, offset: number, length: number, value: number): void {
  let at = offset + length - 2;
  let rest = value;
  for (; rest > 0x7fffffff; rest = Math.floor(rest / 8)) block[at--] = 0x30 + (rest % 8);
  for (; at >= offset; rest >>= 3) block[at--] = 0x30 + (rest & 7);
}

/**
 * GNU's way to say what octal cannot: big-endian two's complement with the first bit set. PAX says it too, but so a
 * reader that knows no PAX never takes uid 3000000 for root.
 */
function putBase256(block: Buffer, offset: number, length: number, value: number): void {
  let rest = BigInt(value);
  for (let i = offset + length - 1; i >= offset; i--) {
    block[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[offset]! |= 0x80;
}
