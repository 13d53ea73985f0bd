import { byPosition } from '../layer/content.js';
import {
  type Directory,
  directory,
  type File,
  type Metadata,
  NO_XATTRS,
  type Node,
  type Rootfs,
} from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import { FIRST_INODE, ROOT_INODE } from './structures/features.js';

/** The tree with an inode number for every inode. */
export interface NumberedTree {
  /** The rootfs's root, and `lost+found` in it where the tree has no such name. */
  readonly root: Directory;
  /** All inodes but the root by number, from {@link FIRST_INODE} on: directories, then what has no content, then files. */
  readonly inodes: readonly Node[];
  /** How many of `inodes` are directories. */
  readonly directories: number;
  /** The end of `inodes`: the files, in the order in which their content is best read. */
  readonly files: readonly File[];
  numberOf(node: Node): number;
}

/** What an empty `lost+found` that the tree does not have looks like. */
const lostAndFound = (time: number): Metadata => ({
  mode: 0o700,
  uid: 0,
  gid: 0,
  mtime: BigInt(time) * 1_000_000_000n,
  xattrs: NO_XATTRS,
});

/**
 * Numbers the inodes so that a populator that goes by number reads content and writes inode tables from front to
 * back. `lost+found` is inode 11, where e2fsck looks for it. `time`, in seconds, is that of a `lost+found` made here.
 */
export function numberInodes(rootfs: Rootfs, time: number): NumberedTree {
  const root = withLostAndFound(rootfs.root, time);
  const first = root.children.get('lost+found')!;
  const directories: Node[] = first.kind === 'directory' ? [first] : [];
  const others: Node[] = [];
  const files: File[] = [];
  const numbers = new Map<Node, number>([
    [root, 0],
    [first, 0],
  ]);
  if (first.kind !== 'directory') sortIn(first, directories, others, files);
  for (const { node } of walk(root)) {
    if (numbers.has(node)) continue;
    numbers.set(node, 0);
    sortIn(node, directories, others, files);
  }
  files.sort((a, b) => byPosition(a.content, b.content));
  const inodes = [...directories, ...others, ...files];
  inodes.forEach((node, i) => {
    numbers.set(node, FIRST_INODE + i);
  });
  numbers.set(root, ROOT_INODE);
  return {
    root,
    inodes,
    directories: directories.length,
    files,
    numberOf: (node) => numbers.get(node)!,
  };
}

function sortIn(node: Node, directories: Node[], others: Node[], files: File[]): void {
  if (node.kind === 'directory') directories.push(node);
  else if (node.kind === 'file') files.push(node);
  else others.push(node);
}

function withLostAndFound(root: Directory, time: number): Directory {
  if (root.children.has('lost+found')) return root;
  const made = { ...directory(lostAndFound(time)), nlink: 2 };
  return { ...root, nlink: root.nlink + 1, children: new Map([...root.children, ['lost+found', made]]) };
}
