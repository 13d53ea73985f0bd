import type { Node } from '../rootfs/node.js';
import { byBytes, type Visit, walk } from '../rootfs/walk.js';
import { type History, shownBy } from './history.js';
import { select } from './select.js';

/** What is listed of an image. */
export interface ListOptions {
  /** Paths and globs. Of a directory that is named, what is in it is listed. Default: the root. */
  readonly paths?: readonly string[];
  /** List all that is below directories, too. Default false. */
  readonly recursive?: boolean;
  /** List directories that are named themselves, and not what is in them. Default false. */
  readonly directory?: boolean;
}

/** A name of an image's tree, to be listed. */
export interface ListedName extends Visit {
  /** The layer that gave the name its inode, or a directory its metadata; counted from 1. Undefined for a root that no layer has. */
  readonly layer: number | undefined;
}

/** The names of an image's tree that are asked for, in the order of the words, and below a directory in byte order. Throws `NOT_FOUND` for a word that means nothing. */
export function list(history: History, options: ListOptions = {}): Iterable<ListedName> {
  const { root } = history.tree.rootfs;
  const { paths = [''] } = options;
  const selected = [...select(root, paths)];
  return {
    *[Symbol.iterator]() {
      for (const one of selected) {
        for (const { path, node } of named(one.node, one.byGlob, options)) {
          const layer = shownBy(history.at(joined(one.place, path)))?.layer;
          yield { path: joined(one.path, path), node, layer };
        }
      }
    },
  };
}

/** What is listed of a name, by its path from there. */
/** What is listed of a name, by its path from there. */
function* named(node: Node, byGlob: boolean, { recursive, directory }: ListOptions): Generator<Visit> {
  if (node.kind !== 'directory' || directory || (byGlob && !recursive)) {
    yield { path: '', node };
  } else if (!recursive) {
    const names = [...node.children.keys()].sort(byBytes);
    for (const name of names) yield { path: name, node: node.children.get(name)! };
  } else {
    for (const visit of walk(node)) if (visit.path !== '' || byGlob) yield visit;
  }
}

function joined(parent: string, name: string): string {
  return parent === '' || name === '' ? parent + name : `${parent}/${name}`;
}
