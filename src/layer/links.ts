import { FlattenError, printable } from '../errors.js';
import type { Directory, Node } from '../rootfs/node.js';
import { lookup, MAX_PATH } from '../rootfs/path.js';
import type { Budget } from './budget.js';
import { findMerged, type Spot } from './merged-view.js';

/** A hard link as its entry has it: the place it takes, and the path of its target. */
export interface Link {
  readonly path: string;
  readonly target: string;
  readonly parent: Directory;
  readonly name: string;
}

/** What {@link Links} works on. */
export interface LinksOptions {
  /** The layer's tree. */
  readonly root: Directory;
  /** The tree so far. */
  readonly lower: Directory;
  /** Whether a link to itself is one that GNU tar wrote for a file that it was told of twice, as in a root filesystem. */
  readonly isPlain: boolean;
  readonly budget: Budget;
}

/**
 * Hard links of one layer: rule 5 of the layer rules. A target is looked for on the merged view of what the layer has
 * put there so far and the lower, then in the lower alone, then among the layer's later entries. A link that waits for
 * those leaves its place empty: a later entry may take it, and then the link is void.
 */
export class Links {
  readonly #options: LinksOptions;
  readonly #waiting = new Map<Directory, Map<string, Link>>();

  constructor(options: LinksOptions) {
    this.#options = options;
  }

  /** Puts the link's inode in its place, or makes the link wait. */
  add(link: Link): void {
    const { parent, name } = link;
    if (link.target.length > MAX_PATH) throw bad(link, 'is longer than any path');
    const spot = this.#find(link);
    if (spot.parent === parent && spot.name === name) {
      if (this.#options.isPlain && spot.node !== undefined && spot.node.kind !== 'directory') return;
      throw bad(link, 'links to itself');
    }
    if (spot.node !== undefined) {
      parent.children.set(name, checked(link, spot));
      return;
    }
    parent.children.delete(name);
    const places = this.#waiting.get(parent);
    if (places === undefined) this.#waiting.set(parent, new Map([[name, link]]));
    else places.set(name, link);
  }

  /** Settles every link that still waits. Call it once all entries are there. */
  settle(): void {
    for (const places of this.#waiting.values()) {
      for (const link of places.values()) {
        if (!link.parent.children.has(link.name)) this.#settle(link);
      }
    }
  }

  /** Follows links that wait for links, without recursion: an archive may chain a million of them. */
  #settle(first: Link): void {
    const chain = new Set([first]);
    let link = first;
    for (;;) {
      const spot = this.#find(link);
      const next = spot.node === undefined ? this.#waitingAt(spot) : undefined;
      if (next === undefined) {
        const node = checked(link, spot);
        for (const { parent, name } of chain) parent.children.set(name, node);
        return;
      }
      if (chain.has(next)) throw bad(link, 'is one of a circle of hard links');
      chain.add(next);
      link = next;
    }
  }

  /** The link that waits where this one leads. */
  #waitingAt({ parent, name }: Spot): Link | undefined {
    return parent && this.#waiting.get(parent)?.get(name);
  }

  #find({ target, path }: Link): Spot {
    const { root: upper, lower, budget } = this.#options;
    const onLink = (link: { readonly target: string }) => budget.follow(link.target, path);
    const isTaken = (parent: Directory, name: string) => this.#waiting.get(parent)?.has(name) ?? false;
    const spot = findMerged({ upper, lower, isTaken, onLink }, target);
    if (spot.node !== undefined || this.#waitingAt(spot) !== undefined) return spot;
    // What this layer put in the way does not count: the lower is meant as it was before.
    return { ...spot, node: lookup(lower, target, { onLink }) };
  }
}

function checked(link: Link, { node, isCircle }: Spot): Node {
  if (node === undefined) throw bad(link, isCircle ? 'leads through a cycle of symlinks' : 'has no target');
  if (node.kind === 'directory') throw bad(link, 'leads to a directory');
  return node;
}

function bad({ path, target }: Link, what: string): FlattenError {
  const shown = printable(target.length > 200 ? `${target.slice(0, 200)}…` : target);
  return new FlattenError('BAD_LAYER', `the hard link to ${JSON.stringify(shown)} ${what}`, { path });
}
