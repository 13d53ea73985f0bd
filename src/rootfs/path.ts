import type { Directory, Node } from './node.js';

/** How many symlinks a path may lead through; Linux has the same bound. */
export const MAX_LINKS = 40;

/** The longest path, in bytes, that Linux system calls take. */
export const MAX_PATH = 4095;

/** A path's components, without empty ones and `.`. */
export function components(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/**
 * Finds the inode that a path names. Symlinks among the parents are followed inside the root and never out of it, the
 * last component only with `follow`; undefined where nothing is there or the links go round in circles.
 */
export function lookup(root: Directory, path: string, follow = false): Node | undefined {
  const queue = components(path).reverse();
  const parents: Directory[] = [root];
  let links = 0;
  for (;;) {
    const name = queue.pop();
    const here = parents[parents.length - 1]!;
    if (name === undefined) return here;
    if (name === '..') {
      if (parents.length > 1) parents.pop();
      continue;
    }
    const child = here.children.get(name);
    if (child?.kind === 'directory') parents.push(child);
    else if (child === undefined || (queue.length === 0 && !(follow && child.kind === 'symlink')))
      return child;
    else if (child.kind !== 'symlink' || ++links > MAX_LINKS) return undefined;
    else {
      if (child.target.startsWith('/')) parents.length = 1;
      queue.push(...components(child.target).reverse());
    }
  }
}
