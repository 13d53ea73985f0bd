import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import type { Context } from '../context.js';
import { uuidOf } from '../disk/identity.js';
import { readAt, writeAt } from '../disk/positioned.js';
import { Meter } from '../meter.js';
import { BlockHasher } from './block-hasher.js';
import { hashBlocks, type Places, placeLevels, VERITY_BLOCK } from './levels.js';
import { Passes } from './passes.js';
import { superblockOf } from './superblock.js';

/** What one needs to know to open an image with dm-verity. */
export interface DmVerity {
  /** Hexadecimal. It names the data: nothing else has it. */
  readonly rootHash: string;
  readonly algorithm: 'sha256';
  readonly hashType: 1;
  /** Hexadecimal. */
  readonly salt: string;
  readonly uuid: string;
  readonly dataBlockSize: number;
  readonly hashBlockSize: number;
  readonly dataBlocks: number;
  /** Where the verity superblock is, in bytes: in the image, or in the file of the tree. The tree follows it. */
  readonly hashOffset: number;
}

/**
 * Hashes an image, padded to whole blocks, in two threads, and writes superblock and tree behind it, or to a new file at `treePath`. Salt
 * and UUID come of the image, so the same image has the same root hash. Reports the phase `verity`. Throws `IO` and `INTERRUPTED`.
 */
export async function sealImage(
  path: string,
  treePath: string | undefined,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<DmVerity> {
  const image = openSync(path, 'r+');
  let tree = image;
  try {
    if (treePath !== undefined) tree = openSync(treePath, 'wx+');
    const dataBlocks = Math.ceil(fstatSync(image).size / VERITY_BLOCK);
    ftruncateSync(image, dataBlocks * VERITY_BLOCK);
    const hashOffset = treePath === undefined ? dataBlocks * VERITY_BLOCK : 0;
    ftruncateSync(tree, hashOffset + hashBlocks(dataBlocks) * VERITY_BLOCK); // what no digest fills is zeros
    const salt = saltOf(image);
    const root = await writeTree({ image, tree, hashOffset, dataBlocks }, salt, context);
    const uuid = uuidOf(digestOf('UUID', root));
    writeAt(tree, superblockOf({ uuid, dataBlocks, salt }), hashOffset);
    return {
      rootHash: root.toString('hex'),
      algorithm: 'sha256',
      hashType: 1,
      salt: salt.toString('hex'),
      uuid,
      dataBlockSize: VERITY_BLOCK,
      hashBlockSize: VERITY_BLOCK,
      dataBlocks,
      hashOffset,
    };
  } finally {
    if (tree !== image) closeSync(tree);
    closeSync(image);
  }
}

/** Of the first block, which has the file system's UUID, and so changes with all content. */
function saltOf(fd: number): Buffer {
  return digestOf('salt', readAt(fd, 0, VERITY_BLOCK));
}

function digestOf(use: string, bytes: Buffer): Buffer {
  return createHash('sha256').update(`flatten dm-verity ${use}\n`).update(bytes).digest();
}

/** Writes all levels, the lowest first; gives the root's digest. */
async function writeTree(
  places: Places,
  salt: Buffer,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<Buffer> {
  const levels = placeLevels(places);
  const meter = new Meter(context, 'verity', places.dataBlocks * VERITY_BLOCK);
  const passes = new Passes(salt, context.signal);
  try {
    for (let i = levels.length - 1; i > 0; i--)
      await passes.make(levels[i]!, levels[i - 1]!, i === levels.length - 1 ? { meter } : {});
  } finally {
    await passes.close();
  }
  const [top] = levels;
  const root = new BlockHasher(salt).digest(readAt(top!.fd, top!.position, VERITY_BLOCK));
  meter.end();
  return root;
}
