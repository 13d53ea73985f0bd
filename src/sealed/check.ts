import { closeSync } from 'node:fs';
import type { Context } from '../context.js';
import { checkTree, type WrongBlock } from '../verity/verity.js';
import type { Fault } from './fault.js';
import { openFile } from './files.js';
import type { Seal } from './find.js';

/** What the check of a hash tree found. */
export interface SealCheck extends Pick<Seal, 'trust'> {
  /** What the tree gives; absent where it is not whole. */
  readonly rootHash?: string;
  /** Blocks of data below the tree. */
  readonly dataBlocks: number;
  /** With as many wrong blocks as were asked for. */
  readonly faults: readonly Fault[];
  /** Faults, listed or not. */
  readonly count: number;
  /** Blocks of data that nothing can be said of, since the tree is wrong above them. */
  readonly unknownBlocks: number;
}

/** Hashes an image and compares it with its tree; lists at most `limit` wrong blocks. Reports the phase `verity`. Throws `IO` and `INTERRUPTED`. */
export async function checkSeal(
  seal: Seal,
  limit: number,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<SealCheck> {
  const { hashOffset, faults, trust, isWhole, rootHash: expected } = seal;
  const { dataBlocks, salt } = seal.superblock;
  const known = { trust, dataBlocks };
  if (!isWhole) return { ...known, faults, count: faults.length, unknownBlocks: dataBlocks };
  return withFiles(seal, async (image, tree) => {
    const places = { image, tree, hashOffset, dataBlocks, salt, rootHash: expected };
    const { rootHash, wrong, wrongBlocks, unknownBlocks } = await checkTree(places, limit, context);
    const own = [...faults];
    if (expected !== undefined && rootHash !== expected)
      own.push({ kind: 'root', what: `the root hash is ${rootHash}, expected ${expected}` });
    const all = [...own, ...wrong.map(faultOf)];
    return { ...known, rootHash, faults: all, count: own.length + wrongBlocks, unknownBlocks };
  });
}

function faultOf(block: WrongBlock): Fault {
  const of = block.kind === 'data' ? 'block' : 'block of the hash tree';
  return { ...block, what: `${of} ${block.block}, at byte ${block.offset}: is not what was hashed` };
}

async function withFiles<T>(
  { image, tree }: Pick<Seal, 'image' | 'tree'>,
  use: (image: number, tree: number) => Promise<T>,
): Promise<T> {
  const fd = openFile(image);
  try {
    if (tree === image) return await use(fd, fd);
    const other = openFile(tree);
    try {
      return await use(fd, other);
    } finally {
      closeSync(other);
    }
  } finally {
    closeSync(fd);
  }
}
