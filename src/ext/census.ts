import { blocksIn, type Runs, wholeRun } from '../disk/runs.js';
import type { Survey } from '../disk/survey.js';
import type { Directory, Node } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import { fitsOneBlock, indexShape, MAX_HASHED_NAMES, packDirectory } from './directory.js';
import { beyond, checkLimits } from './limits.js';
import { extentBlocks, indirectBlocks } from './map-size.js';
import type { NumberedTree } from './numbering.js';
import { BLOCK, type ExtFormat, FIRST_INODE } from './structures/features.js';
import type { HashSeed } from './structures/hash.js';
import { MAX_LEAVES } from './structures/htree.js';
import { MAP_SIZE } from './structures/inode.js';
import { isStorable } from './structures/time.js';
import { placeXattrs, XattrBlocks } from './xattrs.js';

/** What a tree takes in an image. Everything in blocks, inodes in inodes. */
export interface Demand {
  /** With the ten reserved ones and `lost+found`. */
  readonly inodes: number;
  readonly directoryBlocks: number;
  /** Targets too long for their inode. */
  readonly symlinkBlocks: number;
  readonly xattrBlocks: number;
  /** File content without its holes. */
  readonly fileBlocks: number;
  /** Indirect blocks, or extent trees where nothing cuts a file in two. */
  readonly mapBlocks: number;
}

/** The demand, and what a populator must know to meet it exactly. */
export interface Census {
  readonly demand: Demand;
  readonly xattrs: XattrBlocks;
  /** Of a directory, by inode number. */
  directoryBlocks(inode: number): number;
}

/** What a census asks of its caller. */
export interface CensusOptions {
  readonly format: ExtFormat;
  readonly seed: HashSeed;
  readonly runsOf: Survey['runsOf'];
  /** Told of all that the format cannot hold and that is left out. */
  lose(kind: string, path: string, reason: string): void;
}

/** Whether a symlink's target lies in its inode. */
export function isFast(target: string): boolean {
  return target.length < MAP_SIZE;
}

/** The blocks that map a file or directory under a format. */
export function mapBlocks(runs: Runs, format: ExtFormat): number {
  return format === 'ext4' ? extentBlocks(runs) : indirectBlocks(runs);
}

/**
 * Counts what the tree takes. Throws `UNSUPPORTED` for the first path, in tree order, that the format cannot hold;
 * after it nothing but the disk can fail.
 */
export function takeCensus(tree: NumberedTree, options: CensusOptions): Census {
  const { format, seed, runsOf } = options;
  const inodes = FIRST_INODE - 1 + tree.inodes.length;
  const seen = new Uint8Array(inodes + 1);
  const sizes = new Uint32Array(FIRST_INODE + tree.directories);
  const xattrs = new XattrBlocks();
  const blocks = { directoryBlocks: 0, symlinkBlocks: 0, fileBlocks: 0, mapBlocks: 0 };
  for (const { path, node } of walk(tree.root)) {
    checkLimits(path, node, format);
    const inode = tree.numberOf(node);
    if (seen[inode]) continue;
    seen[inode] = 1;
    countXattrs(path, node, inode, xattrs, options);
    if (!isStorable(node.meta.mtime)) options.lose('mtime', path, 'ext keeps times from 1901 to 2310');
    if (node.kind === 'directory') {
      sizes[inode] = directorySize(path, node, seed);
      blocks.directoryBlocks += sizes[inode]!;
      blocks.mapBlocks += mapBlocks(wholeRun(sizes[inode]!), format);
    } else if (node.kind === 'file') {
      const runs = runsOf(node);
      blocks.fileBlocks += blocksIn(runs);
      blocks.mapBlocks += mapBlocks(runs, format);
    } else if (node.kind === 'symlink' && !isFast(node.target)) blocks.symlinkBlocks++;
  }
  const demand = { inodes, ...blocks, xattrBlocks: xattrs.blocks.length };
  return { demand, xattrs, directoryBlocks: (inode) => sizes[inode]! };
}

function countXattrs(
  path: string,
  node: Node,
  inode: number,
  blocks: XattrBlocks,
  options: CensusOptions,
): void {
  const placed = placeXattrs(node.meta.xattrs, (reason) => options.lose('xattr', path, reason));
  if (placed === undefined) {
    throw beyond(path, `its xattrs: more than the inode and one block of ${BLOCK} bytes hold`);
  }
  if (placed.inBlock.length > 0) blocks.add(inode, placed.inBlock);
}

function directorySize(path: string, { children }: Directory, seed: HashSeed): number {
  if (fitsOneBlock(children.keys())) return 1;
  if (children.size > MAX_HASHED_NAMES) {
    throw beyond(path, `names in a directory: ${children.size}, and we index at most ${MAX_HASHED_NAMES}`);
  }
  const leaves = packDirectory(children.keys(), seed).leaves!.length;
  if (leaves > MAX_LEAVES) {
    throw beyond(
      path,
      `blocks of names in a directory: ${leaves}, and its index holds at most ${MAX_LEAVES}`,
    );
  }
  return indexShape(leaves).blocks;
}
