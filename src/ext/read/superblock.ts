import { fstatSync } from 'node:fs';
import { readAt } from '../../disk/positioned.js';
import { EXT_MAGIC, EXT_SUPERBLOCK } from '../../disk-magic.js';
import { FlattenError } from '../../errors.js';
import { DESCRIPTOR } from '../structures/descriptor.js';
import { INCOMPAT } from '../structures/features.js';
import { AT, SIZE } from '../structures/superblock.js';
import { type BlockDevice, damaged } from './block-map.js';

/** What a reader must know of a file system. */
export interface FileSystem extends BlockDevice {
  readonly inodes: number;
  readonly inodeSize: number;
  readonly inodesPerGroup: number;
  readonly descriptorSize: number;
  /** The block of the first group descriptor. */
  readonly descriptorsAt: number;
}

/** Features that change nothing about how we read. */
const KNOWN =
  INCOMPAT.filetype |
  INCOMPAT.extents |
  INCOMPAT.bits64 |
  INCOMPAT.flexBg |
  INCOMPAT.checksumSeed |
  INCOMPAT.largeDir;

/** Reads and checks a superblock. Throws `BAD_IMAGE` where there is none or it makes no sense, `UNSUPPORTED` for features we cannot read. */
export function readSuperblock(fd: number): FileSystem {
  const fileSize = fstatSync(fd).size;
  const raw = readAt(fd, EXT_SUPERBLOCK, SIZE);
  if (raw.readUInt16LE(AT.magic) !== EXT_MAGIC.number) {
    throw new FlattenError('BAD_IMAGE', 'no ext2, ext3 or ext4 file system');
  }
  checkFeatures(raw);
  const logBlockSize = raw.readUInt32LE(AT.logBlockSize);
  if (logBlockSize > 6) throw damaged('an impossible block size');
  const blockSize = 1024 << logBlockSize;
  const isWide = (raw.readUInt32LE(AT.incompat) & INCOMPAT.bits64) !== 0;
  const high = isWide ? raw.readUInt32LE(AT.blocksCountHigh) * 2 ** 32 : 0;
  const blocks = raw.readUInt32LE(AT.blocksCount) + high;
  const found = {
    fd,
    blockSize,
    // A device has no size that fstat knows.
    blocks: fileSize === 0 ? blocks : Math.min(blocks, Math.ceil(fileSize / blockSize)),
    inodes: raw.readUInt32LE(AT.inodesCount),
    inodeSize: raw.readUInt32LE(AT.revision) === 0 ? 128 : raw.readUInt16LE(AT.inodeSize),
    inodesPerGroup: raw.readUInt32LE(AT.inodesPerGroup),
    descriptorSize: isWide ? raw.readUInt16LE(AT.descriptorSize) : DESCRIPTOR,
    descriptorsAt: raw.readUInt32LE(AT.firstDataBlock) + 1,
  };
  checkSense(found);
  return found;
}

function checkFeatures(raw: Buffer): void {
  const incompat = raw.readUInt32LE(AT.incompat);
  if (incompat & INCOMPAT.recover) {
    throw new FlattenError('UNSUPPORTED', 'the journal holds changes that are not in place yet', {
      hint: 'unmount the image, or run e2fsck -f on it',
    });
  }
  const unknown = incompat & ~KNOWN;
  if (unknown !== 0) {
    const bits = `0x${(unknown >>> 0).toString(16)}`;
    throw new FlattenError(
      'UNSUPPORTED',
      `the file system has features that we cannot read (incompat ${bits})`,
    );
  }
}

function checkSense({ inodeSize, blockSize, inodesPerGroup, descriptorSize }: FileSystem): void {
  const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;
  if (!isPowerOfTwo(inodeSize) || inodeSize < 128 || inodeSize > blockSize)
    throw damaged('an impossible inode size');
  if (inodesPerGroup === 0) throw damaged('groups without inodes');
  if (!isPowerOfTwo(descriptorSize) || descriptorSize < DESCRIPTOR || descriptorSize > blockSize) {
    throw damaged('an impossible size of group descriptors');
  }
}
