import { uuidBytes } from '../disk/identity.js';
import { VERITY_BLOCK } from './levels.js';

/** What a verity superblock says, for hash type 1 and SHA-256. */
export interface VeritySuperblock {
  readonly uuid: string;
  readonly dataBlocks: number;
  readonly salt: Buffer;
}

/** The superblock in a block of its own, in front of the tree. Source: cryptsetup, lib/verity/verity.c (`verity_sb`). */
export function superblockOf({ uuid, dataBlocks, salt }: VeritySuperblock): Buffer {
  const block = Buffer.alloc(VERITY_BLOCK);
  block.write('verity', 0, 'latin1');
  block.writeUInt32LE(1, 8);
  block.writeUInt32LE(1, 12);
  uuidBytes(uuid)!.copy(block, 16);
  block.write('sha256', 32, 'latin1');
  block.writeUInt32LE(VERITY_BLOCK, 64);
  block.writeUInt32LE(VERITY_BLOCK, 68);
  block.writeBigUInt64LE(BigInt(dataBlocks), 72);
  block.writeUInt16LE(salt.length, 80);
  salt.copy(block, 88);
  return block;
}
