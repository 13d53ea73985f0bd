import { createHash } from 'node:crypto';
import { closeSync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';
import type { Context } from '../context.js';
import { uuidOf } from '../disk/identity.js';
import { readAt, writeAt } from '../disk/positioned.js';
import { throwIfAborted } from '../errors.js';
import { Meter } from '../meter.js';
import { VERITY_BLOCK } from './levels.js';
import { superblockOf } from './superblock.js';
import { BlockHasher, TreeWriter } from './tree.js';

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

const WINDOW = 2 ** 20;

/**
 * Hashes an image, padded to whole blocks, and writes superblock and tree behind it, or to a new file at `treePath`. Salt and
 * UUID come of the image, so the same image has the same root hash. Reports the phase `verity`. Throws `IO` and `INTERRUPTED`.
 */
export async function sealImage(
  path: string,
  treePath: string | undefined,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<DmVerity> {
  const fd = openSync(path, 'r+');
  let treeFd = fd;
  try {
    if (treePath !== undefined) treeFd = openSync(treePath, 'wx+');
    const dataBlocks = Math.ceil(fstatSync(fd).size / VERITY_BLOCK);
    ftruncateSync(fd, dataBlocks * VERITY_BLOCK);
    const hashOffset = treePath === undefined ? dataBlocks * VERITY_BLOCK : 0;
    const salt = saltOf(fd);
    const hasher = new BlockHasher(salt);
    const tree = new TreeWriter(treeFd, hashOffset + VERITY_BLOCK, dataBlocks, hasher);
    await hashData(fd, dataBlocks, { hasher, tree }, context);
    const root = tree.finish();
    const uuid = uuidOf(digestOf('UUID', root));
    writeAt(treeFd, superblockOf({ uuid, dataBlocks, salt }), hashOffset);
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
    if (treeFd !== fd) closeSync(treeFd);
    closeSync(fd);
  }
}

/** Of the first block, which has the file system's UUID, and so changes with all content. */
function saltOf(fd: number): Buffer {
  return digestOf('salt', readAt(fd, 0, VERITY_BLOCK));
}

function digestOf(use: string, bytes: Buffer): Buffer {
  return createHash('sha256').update(`flatten dm-verity ${use}\n`).update(bytes).digest();
}

async function hashData(
  fd: number,
  dataBlocks: number,
  { hasher, tree }: { readonly hasher: BlockHasher; readonly tree: TreeWriter },
  context: Pick<Context, 'report' | 'signal'>,
): Promise<void> {
  const size = dataBlocks * VERITY_BLOCK;
  const meter = new Meter(context, 'verity', size);
  for (let position = 0; position < size; position += WINDOW) {
    const window = readAt(fd, position, Math.min(WINDOW, size - position));
    for (let at = 0; at < window.length; at += VERITY_BLOCK)
      tree.add(hasher.digest(window.subarray(at, at + VERITY_BLOCK)));
    meter.add(window.length);
    await turn();
    throwIfAborted(context.signal);
  }
  meter.end();
}
