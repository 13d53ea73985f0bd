import type { Directory, Node, Symlink } from '../rootfs/node.js';
import { components, MAX_LINKS } from '../rootfs/path.js';

/** A directory as it shows while a layer is read: what the layer put there so far, and what the lower has. */
interface Pair {
  readonly upper: Directory | undefined;
  readonly lower: Directory | undefined;
}

/** Where a path leads on the merged view. */
export interface Spot {
  /** The layer's own directory that the last name is in, where there is one. */
  readonly parent: Directory | undefined;
  readonly name: string;
  readonly node: Node | undefined;
  /** More symlinks on the way than Linux follows. */
  readonly isCircle: boolean;
}

/** What {@link findMerged} looks at. */
export interface MergedView {
  readonly upper: Directory;
  readonly lower: Directory;
  /** Whether the layer has taken this name without an inode so far: then the lower's does not show. */
  isTaken(parent: Directory, name: string): boolean;
  /** Called for each symlink that is followed, before it is. */
  onLink(link: Symlink): void;
}

/**
 * Follows a path step by step through a layer's tree so far and, where that says nothing, the lower: symlinks of either
 * lead on inside the root and never out of it, the last name is not followed. What a sequential unpacker would find.
 */
export function findMerged(view: MergedView, path: string): Spot {
  const queue = components(path).reverse();
  const places: Pair[] = [{ upper: view.upper, lower: view.lower }];
  let links = 0;
  for (;;) {
    const name = queue.pop();
    const { upper, lower } = places[places.length - 1]!;
    if (name === undefined) return { parent: undefined, name: '', node: upper ?? lower, isCircle: false };
    if (name === '..') {
      if (places.length > 1) places.pop();
      continue;
    }
    const own = upper?.children.get(name);
    const below = lower?.children.get(name);
    const isTaken = own !== undefined || (upper !== undefined && view.isTaken(upper, name));
    const node = isTaken ? own : below;
    if (queue.length === 0) return { parent: upper, name, node, isCircle: false };
    if (node?.kind === 'directory') {
      places.push({
        upper: own?.kind === 'directory' ? own : undefined,
        lower: below?.kind === 'directory' ? below : undefined,
      });
    } else if (node?.kind !== 'symlink' || ++links > MAX_LINKS) {
      return { parent: undefined, name, node: undefined, isCircle: node?.kind === 'symlink' };
    } else {
      view.onLink(node);
      if (node.target.startsWith('/')) places.length = 1;
      queue.push(...components(node.target).reverse());
    }
  }
}
