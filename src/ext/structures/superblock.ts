/**
 * The superblock: 1024 bytes at byte 1024 of the image, and at byte 0 of some groups.
 * Source: Linux, Documentation/filesystems/ext4/super.rst.
 */

/** Bytes of a superblock. */
export const SIZE = 1024;

/** Where each field that we read or write lies; its width in bytes is that of the writes below. */
export const AT = {
  inodesCount: 0x0,
  blocksCount: 0x4,
  freeBlocks: 0xc,
  freeInodes: 0x10,
  firstDataBlock: 0x14,
  logBlockSize: 0x18,
  blocksPerGroup: 0x20,
  inodesPerGroup: 0x28,
  mountTime: 0x2c,
  writeTime: 0x30,
  mountCount: 0x34,
  maxMountCount: 0x36,
  magic: 0x38,
  state: 0x3a,
  errors: 0x3c,
  lastCheck: 0x40,
  checkInterval: 0x44,
  revision: 0x4c,
  inodeSize: 0x58,
  groupNumber: 0x5a,
  incompat: 0x60,
  uuid: 0x68,
  lastMounted: 0x88,
  hashSeed: 0xec,
  hashVersion: 0xfc,
  descriptorSize: 0xfe,
  mountOptions: 0x100,
  mkfsTime: 0x108,
  minExtraSize: 0x15c,
  wantExtraSize: 0x15e,
  blocksCountHigh: 0x150,
  flags: 0x160,
  kbytesWritten: 0x178,
  overheadBlocks: 0x248,
  writeTimeHigh: 0x274,
  mountTimeHigh: 0x275,
  mkfsTimeHigh: 0x276,
  lastCheckHigh: 0x277,
} as const;

const HASH_HALF_MD4 = 1;
const FLAG_SIGNED_HASH = 1;
const MOUNT_XATTR_AND_ACL = 0x4 | 0x8;
const EXTRA_SIZE = 32;
const NO_LIMIT = 0xffff;

/** What the finished file system's superblock says beyond what mke2fs has written there. */
export interface Totals {
  readonly freeBlocks: number;
  readonly freeInodes: number;
  /** Seconds since 1970. */
  readonly time: number;
}

/**
 * Sets in `raw`, the superblock as mke2fs left it, the totals and every field that a clock, a processor, a
 * configuration file or mke2fs's version would decide otherwise.
 */
export function finishSuperblock(raw: Buffer, totals: Totals): void {
  raw.writeUInt32LE(totals.freeBlocks, AT.freeBlocks);
  raw.writeUInt32LE(totals.freeInodes, AT.freeInodes);
  for (const field of [AT.writeTime, AT.lastCheck, AT.mkfsTime]) raw.writeUInt32LE(totals.time, field);
  raw.fill(0, AT.writeTimeHigh, AT.lastCheckHigh + 1);
  raw.writeUInt32LE(0, AT.mountTime);
  raw.writeUInt16LE(0, AT.mountCount);
  raw.writeUInt16LE(NO_LIMIT, AT.maxMountCount);
  raw.writeUInt16LE(1, AT.state); // clean
  raw.writeUInt16LE(1, AT.errors); // go on
  raw.writeUInt32LE(0, AT.checkInterval);
  raw.fill(0, AT.lastMounted, AT.lastMounted + 64);
  raw.writeUInt8(HASH_HALF_MD4, AT.hashVersion);
  raw.writeUInt32LE(MOUNT_XATTR_AND_ACL, AT.mountOptions);
  raw.writeUInt16LE(EXTRA_SIZE, AT.minExtraSize);
  raw.writeUInt16LE(EXTRA_SIZE, AT.wantExtraSize);
  raw.writeUInt32LE(FLAG_SIGNED_HASH, AT.flags);
  raw.fill(0, AT.kbytesWritten, AT.kbytesWritten + 8);
  raw.writeUInt32LE(0, AT.overheadBlocks); // the kernel counts it itself
}
