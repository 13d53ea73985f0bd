import { FlattenError } from '../errors.js';

/**
 * One 512-byte header block: v7, ustar (POSIX.1-1988), and the GNU and star variants of it.
 * Layout: POSIX.1-2017 `pax`, section "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
 */
export const BLOCK = 512;

/** Where each field lies in the block: [offset, length]. */
export const FIELDS = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  linkname: [157, 100],
  magic: [257, 8],
  major: [329, 8],
  minor: [337, 8],
  prefix: [345, 155],
} as const;

/** The raw fields of a header; names are latin1. */
export interface Header {
  /** One character; `\0` is what v7 wrote for a file. */
  readonly type: string;
  readonly dialect: 'v7' | 'ustar' | 'gnu';
  readonly name: string;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly mtime: number;
  /** Of a device, else 0. */
  readonly major: number;
  readonly minor: number;
}

/** The bytes that `size` bytes take in whole blocks. */
export function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** Sums the block's bytes with the checksum field read as spaces: [unsigned, signed], since old tars used either. */
export function checksums(bytes: Uint8Array, at = 0): [number, number] {
  let unsigned = 0;
  let high = 0;
  for (let i = at; i < at + BLOCK; i++) {
    const byte = bytes[i]!;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let i = at + 148; i < at + 156; i++) {
    unsigned += 32 - bytes[i]!;
    high -= bytes[i]! >> 7;
  }
  return [unsigned, unsigned - 256 * high];
}

/** The unsigned sum of {@link checksums}, four bytes at a time: `words` is the memory, `at` is in bytes. Half of a scan is this. */
export function quickSum(words: Int32Array, at: number): number {
  const first = at >> 2;
  let pairs = 0; // two sums of 16 bits, which 128 words do not overflow
  for (let i = first; i < first + BLOCK / 4; i++) {
    const word = words[i]!;
    pairs += (word & 0xff00ff) + ((word >>> 8) & 0xff00ff);
  }
  for (let i = first + 37; i < first + 39; i++) {
    const word = words[i]!;
    pairs += 0x400040 - (word & 0xff00ff) - ((word >>> 8) & 0xff00ff);
  }
  return (pairs & 0xffff) + (pairs >>> 16);
}

/**
 * Reads the block at `at`, which is known not to be all zeros; `words` is the same memory, and `at` a multiple of 4.
 * Throws `BAD_LAYER` when its checksum or a number is wrong.
 */
export function parseHeader(bytes: Buffer, words: Int32Array, at: number): Header {
  const sum = octal(bytes, at + 148, 8);
  if (sum !== quickSum(words, at) && !checksums(bytes, at).includes(sum)) {
    throw new FlattenError('BAD_LAYER', 'no tar header here: its checksum is wrong');
  }
  const dialect = dialectOf(bytes, at);
  const name = text(bytes, at, 100);
  const type = String.fromCharCode(bytes[at + 156]!);
  const isDevice = type === '3' || type === '4';
  const prefix = dialect === 'v7' || bytes[at + 345] === 0 ? '' : prefixOf(bytes, at, dialect);
  return {
    type,
    dialect,
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkname: bytes[at + 157] === 0 ? '' : text(bytes, at + 157, 100),
    mode: number(bytes, at, 'mode'),
    uid: number(bytes, at, 'uid'),
    gid: number(bytes, at, 'gid'),
    size: number(bytes, at, 'size'),
    mtime: number(bytes, at, 'mtime'),
    major: isDevice ? number(bytes, at, 'major') : 0,
    minor: isDevice ? number(bytes, at, 'minor') : 0,
  };
}

/**
 * The size of the body behind a header that has nothing unusual about it, which is nearly every one; undefined for
 * any other, a broken one too, for {@link parseHeader} to see to. Five times as fast.
 */
export function plainBody(bytes: Buffer, words: Int32Array, at: number): number | undefined {
  const type = bytes[at + 156]!;
  if (type < 0x30 || type > 0x37 || bytes[at] === 0 || dialectOf(bytes, at) === 'v7') return undefined;
  if (octal(bytes, at + 148, 8) !== quickSum(words, at)) return undefined;
  if (type !== 0x30 && type !== 0x37) return 0;
  const size = bytes[at + 124]! & 0x80 ? Number.NaN : octal(bytes, at + 124, 12);
  return Number.isSafeInteger(size) ? size : undefined;
}

/** POSIX has `ustar`, NUL and a version; GNU has `ustar` and two spaces. */
function dialectOf(bytes: Buffer, at: number): Header['dialect'] {
  for (let i = 0; i < 5; i++) if (bytes[at + 257 + i] !== 'ustar'.charCodeAt(i)) return 'v7';
  const sixth = bytes[at + 262];
  return sixth === 0 ? 'ustar' : sixth === 0x20 ? 'gnu' : 'v7';
}

/** What stands before the name in ustar. GNU has times there; Go up to 1.7 wrote a prefix all the same. */
function prefixOf(bytes: Buffer, at: number, dialect: 'ustar' | 'gnu'): string {
  if (dialect === 'ustar') return text(bytes, at + 345, isStar(bytes, at) ? 131 : 155);
  if (isNumber(bytes, at + 345, 12) && isNumber(bytes, at + 357, 12)) return '';
  const prefix = text(bytes, at + 345, 155);
  return /^[\x00-\x7f]*$/.test(prefix) ? prefix : '';
}

/** Jörg Schilling's star keeps times where ustar has the end of the prefix, and says so in the last four bytes. */
function isStar(bytes: Buffer, at: number): boolean {
  return bytes.toString('latin1', at + 508, at + 512) === 'tar\0';
}

/** The bytes up to the first NUL. */
export function text(bytes: Buffer, at: number, length: number): string {
  let end = at;
  while (end < at + length && bytes[end] !== 0) end++;
  return bytes.toString('latin1', at, end);
}

/** A numeric field of the header at `at`, by its name. */
function number(bytes: Buffer, at: number, field: keyof typeof FIELDS): number {
  const [offset, length] = FIELDS[field];
  return numberAt(bytes, at + offset, length, field);
}

/** Octal digits, padded with blanks or NULs; or, where the first bit is set, GNU's base-256 two's complement. */
export function numberAt(bytes: Buffer, at: number, length: number, field: string): number {
  const value = bytes[at]! & 0x80 ? base256(bytes, at, length) : octal(bytes, at, length);
  if (Number.isSafeInteger(value)) return value;
  const found = bytes[at]! & 0x80 ? 'too large' : `no number: ${JSON.stringify(text(bytes, at, length))}`;
  throw new FlattenError('BAD_LAYER', `${field} is ${found}`);
}

function isNumber(bytes: Buffer, at: number, length: number): boolean {
  return (bytes[at]! & 0x80) !== 0 || Number.isSafeInteger(octal(bytes, at, length));
}

/** NaN where something else than digits is there. */
function octal(bytes: Buffer, at: number, length: number): number {
  let value = 0;
  let i = at;
  const end = at + length;
  while (i < end && (bytes[i] === 0x20 || bytes[i] === 0)) i++;
  for (; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end && bytes[i] !== 0; i++) if (bytes[i] !== 0x20) return Number.NaN;
  return value;
}

/** An integer, perhaps not a safe one. */
function base256(bytes: Buffer, at: number, length: number): number {
  let value = (bytes[at]! & 0x40) !== 0 ? -1n : 0n;
  value = (value << 6n) | BigInt(bytes[at]! & 0x3f);
  for (let i = at + 1; i < at + length; i++) value = (value << 8n) | BigInt(bytes[i]!);
  return Number(value);
}
