import type { Directory, Node } from './node.js';

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

/**
 * Merges a layer onto the tree so far, in place; `upper` is used up. Returns the lower symlinks that directories with
 * content replaced, which is as overlayfs has it, but not always what the image's builder meant.
 * Source: OCI image specification, image-layer filesystem changesets; rules 8 to 12 of the layer rules.
 */
export function merge(lower: Directory, upper: Upper): Replaced[] {
  const replaced: Replaced[] = [];
  const pairs: [Directory, Directory, string][] = [[lower, upper.root, '']];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [below, above, prefix] = pair;
    if (!upper.implied.has(above)) below.meta = above.meta;
    const gone = upper.removed.get(above);
    if (upper.opaque.has(above)) below.children.clear();
    else if (gone !== undefined) for (const name of gone) below.children.delete(name);
    for (const [name, node] of above.children) {
      const existing = below.children.get(name);
      if (node.kind === 'directory' && existing?.kind === 'directory') {
        pairs.push([existing, node, `${prefix}${name}/`]);
        continue;
      }
      if (isSurprise(node, existing)) replaced.push({ path: prefix + name, target: existing.target });
      below.children.set(name, node);
    }
  }
  return replaced;
}

function isSurprise(node: Node, existing: Node | undefined): existing is Extract<Node, { kind: 'symlink' }> {
  return node.kind === 'directory' && node.children.size > 0 && existing?.kind === 'symlink';
}
