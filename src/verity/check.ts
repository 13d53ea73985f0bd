import type { Context } from '../context.js';
import { readAt } from '../disk/positioned.js';
import { Meter } from '../meter.js';
import { BlockHasher } from './block-hasher.js';
import { type Level, PER_BLOCK, type Places, placeLevels, VERITY_BLOCK } from './levels.js';
import { isSet, set } from './pass.js';
import { Passes } from './passes.js';

/** A block that does not have the digest that it should. */
export interface WrongBlock {
  readonly kind: 'data' | 'hash';
  /** Of data, in the image; of the tree, from the superblock on. */
  readonly block: number;
  /** In bytes, in the file that has it. */
  readonly offset: number;
}

/** What a check of data and tree finds. */
export interface TreeCheck {
  /** Hexadecimal: what the top of the tree gives. Where it is another than it should be, nothing below was compared. */
  readonly rootHash: string;
  /** The tree's from the top down, then the data's; as many as were asked for. */
  readonly wrong: readonly WrongBlock[];
  readonly wrongBlocks: number;
  /** Blocks of data that nothing can be said of, since what is above them is wrong. */
  readonly unknownBlocks: number;
}

/** What is checked, and against what. */
export interface CheckedTree extends Places {
  readonly salt: Buffer;
  /** Hexadecimal; absent: the tree is compared with itself and the data. */
  readonly rootHash?: string | undefined;
}

/**
 * Compares every block of the tree with the one above, from the root down, and every block of data with the tree, in two threads. All must
 * lie in the files. Reports the phase `verity`. Throws `IO` and `INTERRUPTED`.
 */
export async function checkTree(
  tree: CheckedTree,
  limit: number,
  context: Pick<Context, 'report' | 'signal'>,
): Promise<TreeCheck> {
  const { salt, rootHash: expected, dataBlocks } = tree;
  const levels = placeLevels(tree);
  const [top] = levels as [Level, ...Level[]];
  const rootHash = new BlockHasher(salt).digest(readAt(top.fd, top.position, VERITY_BLOCK)).toString('hex');
  if (expected !== undefined && rootHash !== expected)
    return { rootHash, wrong: [], wrongBlocks: 0, unknownBlocks: dataBlocks };
  const meter = new Meter(context, 'verity', dataBlocks * VERITY_BLOCK);
  const passes = new Passes(salt, context.signal);
  const list = new WrongList(tree.hashOffset, limit);
  let distrusted = bits(1);
  let unknownBlocks = 0;
  try {
    for (const [i, level] of levels.entries()) {
      if (i === 0) continue;
      const isData = i === levels.length - 1;
      const wrong = bits(level.blocks);
      const findings = { distrusted, wrong };
      await passes.make(level, levels[i - 1]!, { findings, ...(isData && { meter }) });
      list.add(wrong, level, isData ? 'data' : 'hash');
      if (isData) unknownBlocks = below(distrusted, level.blocks);
      else distrusted = withBelow(wrong, distrusted, level.blocks);
    }
  } finally {
    await passes.close();
  }
  meter.end();
  return { rootHash, wrong: list.listed, wrongBlocks: list.count, unknownBlocks };
}

/** A bit for each block, seen by all threads. */
function bits(blocks: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(Math.ceil(blocks / 8)));
}

/** How many of so many blocks are below blocks that are not trusted. */
function below(distrusted: Uint8Array, blocks: number): number {
  let count = 0;
  for (let above = 0; above < Math.ceil(blocks / PER_BLOCK); above++)
    if (isSet(distrusted, above)) count += Math.min(PER_BLOCK, blocks - above * PER_BLOCK);
  return count;
}

/** The blocks that are wrong, and those below blocks that are not trusted. */
function withBelow(wrong: Uint8Array, distrusted: Uint8Array, blocks: number): Uint8Array {
  const all = bits(blocks);
  all.set(wrong);
  for (let block = 0; block < blocks; block++)
    if (isSet(distrusted, Math.floor(block / PER_BLOCK))) set(all, block);
  return all;
}

/** Counts wrong blocks, and lists the first. */
class WrongList {
  readonly listed: WrongBlock[] = [];
  readonly #hashOffset: number;
  readonly #limit: number;
  count = 0;

  constructor(hashOffset: number, limit: number) {
    this.#hashOffset = hashOffset;
    this.#limit = limit;
  }

  add(wrong: Uint8Array, { position, blocks }: Level, kind: WrongBlock['kind']): void {
    for (let i = 0; i < blocks; i++) {
      if ((i & 7) === 0 && wrong[i >> 3] === 0) {
        i += 7;
        continue;
      }
      if (!isSet(wrong, i)) continue;
      this.count++;
      if (this.listed.length >= this.#limit) continue;
      const offset = position + i * VERITY_BLOCK;
      const block = kind === 'data' ? i : (offset - this.#hashOffset) / VERITY_BLOCK;
      this.listed.push({ kind, block, offset });
    }
  }
}
