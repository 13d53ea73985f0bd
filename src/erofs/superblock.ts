import { BLOCK } from '../disk/block.js';
import { uuidBytes } from '../disk/identity.js';
import { crc32c } from './checksum.js';
import { CHUNKED, COMPAT, MAGIC, SUPER, SUPERBLOCK_AT, SUPERBLOCK_SIZE } from './format.js';

/** What a superblock says. */
export interface Superblock {
  readonly rootNid: number;
  readonly inodes: number;
  readonly blocks: number;
  readonly hasChunks: boolean;
  readonly uuid: string;
  readonly label: string;
  /** Seconds since 1970. */
  readonly time: number;
}

const BLOCK_BITS = Math.log2(BLOCK);

/** Puts the superblock into the first block, in which all inodes are already: its checksum covers them too. */
export function writeSuperblock(block: Buffer, about: Superblock): void {
  const into = block.subarray(SUPERBLOCK_AT, SUPERBLOCK_AT + SUPERBLOCK_SIZE);
  into.writeUInt32LE(MAGIC, 0);
  into.writeUInt32LE(COMPAT.checksum | COMPAT.mtime, SUPER.compat);
  into[SUPER.blockBits] = BLOCK_BITS;
  into.writeUInt16LE(about.rootNid, SUPER.rootNid);
  into.writeBigUInt64LE(BigInt(about.inodes), SUPER.inodes);
  into.writeBigInt64LE(BigInt(about.time), SUPER.epoch);
  into.writeUInt32LE(about.blocks, SUPER.blocks);
  uuidBytes(about.uuid)!.copy(into, SUPER.uuid);
  into.write(about.label, SUPER.label, 'utf8');
  into.writeUInt32LE(about.hasChunks ? CHUNKED : 0, SUPER.incompat);
  into.writeUInt32LE(superblockSum(block), SUPER.checksum);
}

/** The checksum of the block that has the superblock: of all from there on, its own field as zero. */
export function superblockSum(block: Buffer): number {
  const covered = Buffer.from(block.subarray(SUPERBLOCK_AT));
  covered.fill(0, SUPER.checksum, SUPER.checksum + 4);
  return crc32c(covered);
}
