import type { Directory, Node } from '../../rootfs/node.js';
import { indexShape, type Leaf, type PackedDirectory, packDirectory } from '../directory.js';
import { entrySize, FILE_TYPE, writeDots, writeEntry } from '../structures/dirent.js';
import { BLOCK } from '../structures/features.js';
import type { HashSeed } from '../structures/hash.js';
import { type IndexPair, NODE_LIMIT, writeNode, writeRoot } from '../structures/htree.js';

/** A directory to write. */
export interface DirectoryToWrite {
  readonly directory: Directory;
  readonly self: number;
  readonly parent: number;
  numberOf(node: Node): number;
}

/** Writes a directory's blocks: `next` gives them, zeroed, in logical order. */
export function writeDirectory(of: DirectoryToWrite, seed: HashSeed, next: () => Buffer): void {
  const packed = packDirectory(of.directory.children.keys(), seed);
  const first = next();
  if (packed.leaves === undefined) {
    writeOneBlock(of, packed.names, first);
    return;
  }
  writeDots(first, of.self, of.parent);
  writeIndexBlocks(packed.leaves, first, next);
  writeLeaves(of, packed, next);
}

function writeOneBlock(of: DirectoryToWrite, names: readonly string[], block: Buffer): void {
  const dots = 24;
  writeDots(block, of.self, of.parent, names.length === 0 ? BLOCK : dots);
  writeEntries(of, names, block, dots);
}

/** The last entry's record reaches the block's end. */
function writeEntries(of: DirectoryToWrite, names: readonly string[], block: Buffer, start: number): void {
  let at = start;
  names.forEach((name, i) => {
    const node = of.directory.children.get(name)!;
    const record = i === names.length - 1 ? BLOCK - at : entrySize(name);
    writeEntry(block, at, { inode: of.numberOf(node), name, type: FILE_TYPE[node.kind], record });
    at += record;
  });
}

/** The index lies in the first block and those right after it, the leaves behind. */
function writeIndexBlocks(leaves: readonly Leaf[], root: Buffer, next: () => Buffer): void {
  const { nodes } = indexShape(leaves.length);
  const pairs: IndexPair[] = leaves.map(({ hash }, i) => ({ hash, block: 1 + nodes + i }));
  if (nodes === 0) {
    writeRoot(root, 0, pairs);
    return;
  }
  const parts = Array.from({ length: nodes }, (_, i) => pairs.slice(i * NODE_LIMIT, (i + 1) * NODE_LIMIT));
  writeRoot(
    root,
    1,
    parts.map(([pair], i) => ({ hash: pair!.hash, block: 1 + i })),
  );
  for (const part of parts) writeNode(next(), part);
}

function writeLeaves(of: DirectoryToWrite, { names, leaves }: PackedDirectory, next: () => Buffer): void {
  leaves!.forEach(({ first }, i) => {
    writeEntries(of, names.slice(first, leaves![i + 1]?.first), next(), 0);
  });
}
