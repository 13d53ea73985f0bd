import { fstatSync } from 'node:fs';
import { readAt } from '../../disk/positioned.js';
import { FlattenError } from '../../errors.js';
import { crc32c } from '../checksum.js';
import {
  CHUNKED,
  COMPAT,
  MAGIC,
  SLOT,
  SUPER,
  SUPERBLOCK_AT,
  SUPERBLOCK_SIZE,
  ZERO_PADDING,
} from '../format.js';

/** What is needed of an image to read it. */
export interface FileSystem {
  readonly fd: number;
  readonly blockSize: number;
  readonly blocks: number;
  /** Where inode numbers count from, and ids of shared xattrs; in bytes. */
  readonly metaStart: number;
  readonly sharedXattrs: number;
  readonly rootNid: number;
  /** The time of inodes in the short form: seconds, and the nanoseconds after them. */
  readonly epoch: bigint;
  readonly epochNanoseconds: number;
  /** Bytes. */
  readonly size: number;
}

/** Incompatible features that mkfs.erofs and Linux have names for, and that we do not read. */
const FEATURES: readonly (readonly [number, string])[] = [
  [0x2, 'compression with settings or large clusters'],
  [0x8, 'several devices, or a second compression'],
  [0x10, 'compressed tails in inodes'],
  [0x20, 'fragments, or compressed data that files share'],
  [0x40, 'xattr prefixes of its own'],
  [0x80, 'block numbers of 48 bits'],
  [0x100, 'inodes in a box'],
];
const KNOWN = CHUNKED | ZERO_PADDING;
const [MIN_BLOCK_BITS, MAX_BLOCK_BITS] = [9, 16];

export function damaged(what: string): FlattenError {
  return new FlattenError('BAD_IMAGE', `damaged file system: ${what}`, { hint: 'see what fsck.erofs says' });
}

/** Throws `BAD_IMAGE` where there is no sound superblock, `UNSUPPORTED` for features that are not read, each by its name. */
export function readSuperblock(fd: number): FileSystem {
  const { size } = fstatSync(fd);
  const raw = readAt(fd, SUPERBLOCK_AT, SUPERBLOCK_SIZE);
  if (raw.readUInt32LE(0) !== MAGIC) throw new FlattenError('BAD_IMAGE', 'no EROFS file system');
  refuseUnknown(raw.readUInt32LE(SUPER.incompat));
  const bits = raw[SUPER.blockBits]!;
  if (bits < MIN_BLOCK_BITS || bits > MAX_BLOCK_BITS) throw damaged(`blocks of 2^${bits} bytes`);
  if (raw[SUPER.directoryBlockBits] !== 0) throw unsupported('directories in blocks of another size');
  const blockSize = 2 ** bits;
  if (raw.readUInt32LE(SUPER.compat) & COMPAT.checksum) checkSum(fd, raw, blockSize);
  const blocks = raw.readUInt32LE(SUPER.blocks);
  if (blocks * blockSize > size) throw damaged('the file ends before the file system in it does');
  return {
    fd,
    blockSize,
    blocks,
    metaStart: raw.readUInt32LE(SUPER.metaBlock) * blockSize,
    sharedXattrs: raw.readUInt32LE(SUPER.xattrBlock) * blockSize,
    rootNid: raw.readUInt16LE(SUPER.rootNid),
    epoch: raw.readBigInt64LE(SUPER.epoch),
    epochNanoseconds: raw.readUInt32LE(SUPER.epochNanoseconds),
    size: blocks * blockSize,
  };
}

/** The sum covers the block that has the superblock, from there on. */
function checkSum(fd: number, raw: Buffer, blockSize: number): void {
  const length = blockSize > SUPERBLOCK_AT ? blockSize - SUPERBLOCK_AT : blockSize;
  const covered = readAt(fd, SUPERBLOCK_AT, length).fill(0, SUPER.checksum, SUPER.checksum + 4);
  if (crc32c(covered) !== raw.readUInt32LE(SUPER.checksum))
    throw damaged('the checksum of its superblock is wrong');
}

function refuseUnknown(incompatible: number): void {
  const left = (incompatible & ~KNOWN) >>> 0;
  if (left === 0) return;
  const names = FEATURES.filter(([bit]) => left & bit).map(([, name]) => name);
  const rest = FEATURES.reduce((bits, [bit]) => bits & ~bit, left) >>> 0;
  if (rest !== 0) names.push(`0x${rest.toString(16)}`);
  throw unsupported(names.join(', '));
}

export function unsupported(feature: string): FlattenError {
  return new FlattenError('UNSUPPORTED', `an EROFS feature that is not read: ${feature}`);
}

/** Where an inode lies, in bytes from the image's start. */
export function positionOf(nid: bigint | number, { metaStart, size }: FileSystem): number {
  const position = metaStart + Number(nid) * SLOT;
  if (position + SLOT > size) throw damaged(`no inode ${nid}`);
  return position;
}
