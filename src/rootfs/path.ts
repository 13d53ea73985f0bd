import type { Directory, Node, Symlink } from './node.js';

/** How many symlinks a path may lead through; Linux has the same bound. */
export const MAX_LINKS = 40;

/** The longest path, in bytes, that Linux system calls take. */
export const MAX_PATH = 4095;

/** A path's components, without empty ones and `.`. */
export function components(path: string): string[] {
  const parts: string[] = [];
  for (let start = 0; start < path.length; ) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const part = path.slice(start, end);
    if (part !== '' && part !== '.') parts.push(part);
    start = end + 1;
  }
  return parts;
}

/** A path's last component, and the path before it as it was written; the component is `''` for a root. */
export function splitLast(path: string): [parent: string, name: string] {
  let end = path.length;
  let start = end;
  do {
    end = start;
    while (end > 0 && path[end - 1] === '/') end--;
    start = path.lastIndexOf('/', end - 1) + 1;
  } while (end - start === 1 && path[start] === '.');
  return [path.slice(0, start), path.slice(start, end)];
}

/** How {@link lookup} goes. */
export interface LookupOptions {
  /** Follow the last component too. Default false. */
  readonly follow?: boolean;
  /** Called for each symlink that is followed, before it is. */
  readonly onLink?: (link: Symlink) => void;
  /** Is given the names of the place where the path leads, symlinks left out; of what is not there, as far as it is there. Empty at first. */
  readonly place?: string[];
}

/**
 * Finds the inode that a path names. Symlinks among the parents are followed inside the root and never out of it, the
 * last component only with `follow`; undefined where nothing is there or the links go round in circles.
 */
export function lookup(root: Directory, path: string, options: LookupOptions = {}): Node | undefined {
  const { follow = false, onLink, place = [] } = options;
  const queue = components(path).reverse();
  const parents: Directory[] = [root];
  let links = 0;
  for (;;) {
    const name = queue.pop();
    const here = parents[parents.length - 1]!;
    if (name === undefined) return here;
    if (name === '..') {
      if (parents.length > 1) parents.pop();
      place.pop();
      continue;
    }
    const child = here.children.get(name);
    place.push(name);
    if (child?.kind === 'directory') parents.push(child);
    else if (child === undefined || (queue.length === 0 && !(follow && child.kind === 'symlink')))
      return child;
    else if (child.kind !== 'symlink' || ++links > MAX_LINKS) return undefined;
    else {
      onLink?.(child);
      if (child.target.startsWith('/')) parents.length = 1;
      place.length = parents.length - 1;
      queue.push(...components(child.target).reverse());
    }
  }
}
