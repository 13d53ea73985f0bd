import { uuidBytes } from '../disk/identity.js';
import { FlattenError } from '../errors.js';
import { VERITY_BLOCK } from './levels.js';

/** What a verity superblock says, for hash type 1 and SHA-256. */
export interface VeritySuperblock {
  readonly uuid: string;
  readonly dataBlocks: number;
  readonly salt: Buffer;
}

const MAGIC = 'verity\0\0';
const MAX_SALT = 256;
/** So many bytes and their tree can still be counted exactly. */
const MAX_BLOCKS = 2n ** 40n;

/** The superblock in a block of its own, in front of the tree. Source: cryptsetup, lib/verity/verity.c (`verity_sb`). */
export function superblockOf({ uuid, dataBlocks, salt }: VeritySuperblock): Buffer {
  const block = Buffer.alloc(VERITY_BLOCK);
  block.write(MAGIC, 0, 'latin1');
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

/** Whether a block begins as a superblock does. */
export function isSuperblock(block: Buffer): boolean {
  return block.toString('latin1', 0, MAGIC.length) === MAGIC;
}

/**
 * Reads a superblock, whoever made it. Throws `UNSUPPORTED` for other algorithms and sizes than ours, each by its name, and `BAD_IMAGE`
 * for what makes no sense.
 */
export function parseSuperblock(block: Buffer): VeritySuperblock {
  if (!isSuperblock(block)) throw new FlattenError('BAD_IMAGE', 'no hash tree begins there');
  const [algorithm] = block.toString('latin1', 32, 64).split('\0');
  const is = (what: string, value: number | string, ours: number | string) => {
    if (value === ours) return;
    const hint = 'veritysetup verify knows others';
    throw new FlattenError('UNSUPPORTED', `a hash tree with ${what} ${value}, and not ${ours}`, { hint });
  };
  is('version', block.readUInt32LE(8), 1);
  is('hash type', block.readUInt32LE(12), 1);
  is('algorithm', algorithm!, 'sha256');
  is('data blocks of', block.readUInt32LE(64), VERITY_BLOCK);
  is('hash blocks of', block.readUInt32LE(68), VERITY_BLOCK);
  const dataBlocks = block.readBigUInt64LE(72);
  const saltLength = block.readUInt16LE(80);
  if (dataBlocks === 0n || dataBlocks > MAX_BLOCKS)
    throw new FlattenError('BAD_IMAGE', `a hash tree of ${dataBlocks} blocks`);
  if (saltLength > MAX_SALT)
    throw new FlattenError('BAD_IMAGE', `a hash tree with a salt of ${saltLength} bytes`);
  return {
    uuid: block.toString('hex', 16, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-'),
    dataBlocks: Number(dataBlocks),
    salt: Buffer.from(block.subarray(88, 88 + saltLength)),
  };
}
