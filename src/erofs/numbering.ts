import { byPosition } from '../layer/content.js';
import type { Directory, File, Node } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';

/** The tree with a number for every inode. */
export interface NumberedTree {
  readonly root: Directory;
  /** By number: the root, the other directories, then what has no content, then files. */
  readonly inodes: readonly Node[];
  /** The end of `inodes`: the files, in the order in which their content is best read. */
  readonly files: readonly File[];
  /** A path that leads to the inode, for messages. */
  pathOf(number: number): string;
  numberOf(node: Node): number;
  /** Of a directory, by its number. */
  parentOf(number: number): number;
}

/** Numbers the inodes, so that who goes by number reads content from front to back. */
export function numberInodes(root: Directory): NumberedTree {
  const directories: Directory[] = [];
  const others: Node[] = [];
  const files: File[] = [];
  const numbers = new Map<Node, number>();
  const paths = new Map<Node, string>();
  for (const { path, node } of walk(root)) {
    if (paths.has(node)) continue;
    paths.set(node, path);
    if (node.kind === 'directory') directories.push(node);
    else if (node.kind === 'file') files.push(node);
    else others.push(node);
  }
  files.sort((a, b) => byPosition(a.content, b.content));
  const inodes = [...directories, ...others, ...files];
  inodes.forEach((node, number) => {
    numbers.set(node, number);
  });
  const parents = new Uint32Array(directories.length);
  for (const [number, { children }] of directories.entries()) {
    for (const child of children.values())
      if (child.kind === 'directory') parents[numbers.get(child)!] = number;
  }
  return {
    root,
    inodes,
    files,
    pathOf: (number) => paths.get(inodes[number]!)!,
    numberOf: (node) => numbers.get(node)!,
    parentOf: (number) => parents[number]!,
  };
}
