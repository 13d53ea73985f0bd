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
  readonly type: string;
  readonly dialect: 'v7' | 'ustar' | 'gnu';
  readonly name: string;
  readonly linkname: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly mtime: number;
}

/** Sums the block's bytes with the checksum field read as spaces: [unsigned, signed], since old tars used either. */
export function checksums(block: Uint8Array): [number, number] {
  let unsigned = 0;
  let high = 0;
  for (let i = 0; i < BLOCK; i++) {
    const byte = block[i]!;
    unsigned += byte;
    high += byte >> 7;
  }
  for (let i = 148; i < 156; i++) {
    unsigned += 32 - block[i]!;
    high -= block[i]! >> 7;
  }
  return [unsigned, unsigned - 256 * high];
}

/** Reads a block that is known not to be all zeros. Throws `BAD_LAYER` when its checksum or a number is wrong. */
export function parseHeader(block: Buffer): Header {
  const sum = number(block, 'checksum');
  const [unsigned, signed] = checksums(block);
  if (sum !== unsigned && sum !== signed) {
    throw new FlattenError('BAD_LAYER', 'no tar header here: its checksum is wrong');
  }
  const dialect = dialectOf(block);
  const name = text(block, ...FIELDS.name);
  const prefix = dialect === 'ustar' ? text(block, 345, isStar(block) ? 131 : 155) : '';
  return {
    type: String.fromCharCode(block[156]!),
    dialect,
    name: prefix === '' ? name : `${prefix}/${name}`,
    linkname: text(block, ...FIELDS.linkname),
    mode: number(block, 'mode'),
    uid: number(block, 'uid'),
    gid: number(block, 'gid'),
    size: number(block, 'size'),
    mtime: number(block, 'mtime'),
  };
}

function dialectOf(block: Buffer): Header['dialect'] {
  const magic = block.toString('latin1', 257, 263);
  return magic === 'ustar\0' ? 'ustar' : magic === 'ustar ' ? 'gnu' : 'v7';
}

/** Jörg Schilling's star keeps times where ustar has the end of the prefix, and says so in the last four bytes. */
function isStar(block: Buffer): boolean {
  return block.toString('latin1', 508, 512) === 'tar\0';
}

/** The bytes up to the first NUL. */
export function text(block: Buffer, offset: number, length: number): string {
  const nul = block.indexOf(0, offset);
  return block.toString('latin1', offset, nul === -1 || nul > offset + length ? offset + length : nul);
}

/** A numeric field of the header by its name. */
export function number(block: Buffer, field: keyof typeof FIELDS): number {
  const [offset, length] = FIELDS[field];
  return numberAt(block, offset, length, field);
}

/** Octal digits, padded with blanks or NULs; or, where the first bit is set, GNU's base-256 two's complement. */
export function numberAt(block: Buffer, offset: number, length: number, field: string): number {
  if (block[offset]! & 0x80) return base256(block, offset, length, field);
  let value = 0;
  let i = offset;
  const end = offset + length;
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++;
  for (; i < end; i++) {
    const digit = block[i]! - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; i < end && block[i] !== 0; i++) {
    if (block[i] !== 0x20) {
      const found = JSON.stringify(text(block, offset, length));
      throw new FlattenError('BAD_LAYER', `${field} is no number: ${found}`);
    }
  }
  return value;
}

function base256(block: Buffer, offset: number, length: number, field: string): number {
  const negative = (block[offset]! & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  value = (value << 6n) | BigInt(block[offset]! & 0x3f);
  for (let i = offset + 1; i < offset + length; i++) value = (value << 8n) | BigInt(block[i]!);
  const result = Number(value);
  if (!Number.isSafeInteger(result)) throw new FlattenError('BAD_LAYER', `${field} is too large: ${value}`);
  return result;
}
