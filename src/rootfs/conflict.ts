import type { Upper } from './merge.js';
import type { Directory, Node } from './node.js';

/** A path at which two trees have what cannot be put on top of each other. */
export interface Conflict {
  /** From the root; latin1. */
  readonly path: string;
  readonly lower: Node['kind'];
  readonly upper: Node['kind'];
}

/**
 * Finds where a merge would replace a directory with something else, or something else with a directory: what cp(1) refuses.
 * Undefined where it would not.
 */
export function findConflict(lower: Directory, upper: Upper): Conflict | undefined {
  const pairs: [Directory, Directory, string][] = [[lower, upper.root, '']];
  for (let pair = pairs.pop(); pair !== undefined; pair = pairs.pop()) {
    const [below, above, prefix] = pair;
    for (const [name, node] of above.children) {
      const existing = below.children.get(name);
      const path = prefix + name;
      if (existing === undefined) continue;
      if (node.kind === 'directory' && existing.kind === 'directory') {
        pairs.push([existing, node, `${path}/`]);
      } else if (node.kind === 'directory' || existing.kind === 'directory') {
        return { path, lower: existing.kind, upper: node.kind };
      }
    }
  }
  return undefined;
}
