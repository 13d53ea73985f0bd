import type { Content, Directory, Node, Rootfs } from './node.js';

/** A name in the tree. */
export interface Visit {
  /** From the root, no leading slash, `''` for the root itself; latin1. */
  readonly path: string;
  readonly node: Node;
}

/** Orders names by their bytes. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A directory's children in byte order of their names. */
function sortedChildren(directory: Directory): [string, Node][] {
  const { children } = directory;
  // The default order is that of UTF-16 units, which for latin1 are the bytes; it beats any comparator.
  return [...children.keys()].sort().map((name) => [name, children.get(name)!]);
}

/**
 * Visits every name, the root first, each directory before its children, children in byte order: the one order of
 * every reproducible output. Depth costs no stack.
 */
export function* walk(root: Directory): Generator<Visit> {
  yield { path: '', node: root };
  const stack = [{ prefix: '', children: sortedChildren(root), next: 0 }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const child = top.children[top.next++];
    if (child === undefined) {
      stack.pop();
      continue;
    }
    const [name, node] = child;
    const path = top.prefix + name;
    yield { path, node };
    if (node.kind === 'directory' && node.children.size > 0) {
      stack.push({ prefix: `${path}/`, children: sortedChildren(node), next: 0 });
    }
  }
}

/** Visits the inode of every name, in no order that counts: faster than {@link walk}. */
export function eachName(root: Directory, visit: (node: Node) => void): void {
  const stack: Directory[] = [root];
  visit(root);
  for (let directory = stack.pop(); directory !== undefined; directory = stack.pop()) {
    for (const node of directory.children.values()) {
      visit(node);
      if (node.kind === 'directory') stack.push(node);
    }
  }
}

/**
 * Counts links, entries and bytes; call it once the tree will not change any more. A directory's `nlink` is as a
 * file system counts it: 2 and one for each subdirectory.
 */
export function finish(root: Directory): Rootfs {
  let entries = 0;
  let inodes = 0;
  let bytes = 0;
  let holes = 0;
  eachName(root, (node) => {
    node.nlink = 0;
  });
  eachName(root, (node) => {
    entries++;
    if (node.kind === 'directory') node.nlink = 2 + subdirectories(node);
    else if (node.nlink++ > 0) return;
    inodes++;
    if (node.kind !== 'file') return;
    bytes += node.content.size;
    if (node.content.segments !== undefined) holes += holesIn(node.content);
  });
  return { root, entries, inodes, bytes, holes };
}

/** The bytes of a file that no run holds. */
export function holesIn({ size, segments }: Pick<Content, 'size' | 'segments'>): number {
  return segments === undefined ? 0 : segments.reduce((rest, { length }) => rest - length, size);
}

function subdirectories({ children }: Directory): number {
  let count = 0;
  for (const child of children.values()) if (child.kind === 'directory') count++;
  return count;
}
