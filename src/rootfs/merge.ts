import type { Directory, Metadata, Node } from './node.js';

/** What one layer says: a tree of its own, and what it takes away from the tree below it. */
export interface Upper {
  readonly root: Directory;
  /** Directories that the layer has no entry for: the lower one keeps its metadata. */
  readonly implied: ReadonlySet<Directory>;
  /** Directories that hide every lower child. */
  readonly opaque: ReadonlySet<Directory>;
  /** The names that whiteouts remove from the lower directory. */
  readonly removed: ReadonlyMap<Directory, ReadonlySet<string>>;
}

/** A directory of the upper that took the place of a lower symlink. */
export interface Replaced {
  /** From the root; latin1. */
  readonly path: string;
  readonly target: string;
}

/** Is told what a merge does, as it does it: for who wants to know how a tree came to be. Paths are from the root, latin1; nothing that it is given may be changed. */
export interface MergeObserver {
  /** A directory of the lower takes the metadata of the layer's entry for it. */
  described(path: string, before: Metadata, after: Metadata): void;
  /** A name of the lower goes; `node` is what had it, undefined where nothing did. Comes before all that is put there. */
  removed(path: string, node: Node | undefined, by: 'whiteout' | 'opaque'): void;
  /** The layer's `node`, with all that is below it, takes a name, and the place of `existing` if there was something. */
  put(path: string, node: Node, existing: Node | undefined): void;
}

/**
 * Merges a layer onto the tree so far, in place; `upper` is used up. Returns the lower symlinks that directories with
 * content replaced, which is as overlayfs has it, but not always what the image's builder meant.
 * Source: OCI image specification, image-layer filesystem changesets; rules 8 to 12 of the layer rules.
 */
export function merge(lower: Directory, upper: Upper, observer?: MergeObserver): Replaced[] {
  const replaced: Replaced[] = [];
  const pairs: [Directory, Directory, string][] = [[lower, upper.root, '']];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [below, above, prefix] = pair;
    if (!upper.implied.has(above)) {
      observer?.described(prefix.slice(0, -1), below.meta, above.meta);
      below.meta = above.meta;
    }
    const gone = upper.removed.get(above);
    if (upper.opaque.has(above)) {
      if (observer)
        for (const [name, node] of below.children) observer.removed(prefix + name, node, 'opaque');
      below.children.clear();
    } else if (gone !== undefined) {
      for (const name of gone) {
        observer?.removed(prefix + name, below.children.get(name), 'whiteout');
        below.children.delete(name);
      }
    }
    for (const [name, node] of above.children) {
      const existing = below.children.get(name);
      if (node.kind === 'directory' && existing?.kind === 'directory') {
        pairs.push([existing, node, `${prefix}${name}/`]);
        continue;
      }
      if (isSurprise(node, existing)) replaced.push({ path: prefix + name, target: existing.target });
      observer?.put(prefix + name, node, existing);
      below.children.set(name, node);
    }
  }
  return replaced;
}

function isSurprise(node: Node, existing: Node | undefined): existing is Extract<Node, { kind: 'symlink' }> {
  return node.kind === 'directory' && node.children.size > 0 && existing?.kind === 'symlink';
}
