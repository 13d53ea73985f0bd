import { FlattenError, printable } from '../errors.js';
import type { Directory, Node } from '../rootfs/node.js';
import { lookup, MAX_PATH, splitLast } from '../rootfs/path.js';
import type { Budget } from './budget.js';

/** A hard link as its entry has it: the place it takes, and the path of its target. */
export interface Link {
  readonly path: string;
  readonly target: string;
  readonly parent: Directory;
  readonly name: string;
}

/**
 * Hard links of one layer: rule 5 of the layer rules. A target is looked for among what the layer has put there so
 * far, then among its later entries, then in the lower. A link that waits leaves its place empty: a later entry may
 * take it, and then the link is void.
 */
export class Links {
  readonly #root: Directory;
  readonly #lower: Directory;
  readonly #budget: Budget;
  readonly #waiting = new Map<Directory, Map<string, Link>>();

  constructor(root: Directory, lower: Directory, budget: Budget) {
    this.#root = root;
    this.#lower = lower;
    this.#budget = budget;
  }

  /** Puts the link's inode in its place, or makes the link wait. */
  add(link: Link): void {
    const { parent, name } = link;
    if (link.target.length > MAX_PATH) throw bad(link, 'is longer than any path');
    const [targetParent, targetName] = this.#placeOf(link);
    if (targetParent === parent && targetName === name) throw bad(link, 'links to itself');
    const found = this.#find(this.#root, link);
    if (found !== undefined) {
      parent.children.set(name, checked(link, found));
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
      const found = this.#find(this.#root, link);
      const next = found === undefined ? this.#waitingAt(link) : undefined;
      if (next === undefined) {
        const node = checked(link, found ?? this.#find(this.#lower, link));
        for (const { parent, name } of chain) parent.children.set(name, node);
        return;
      }
      if (chain.has(next)) throw bad(link, 'is one of a circle of hard links');
      chain.add(next);
      link = next;
    }
  }

  /** The link that waits where this one leads. */
  #waitingAt(link: Link): Link | undefined {
    const [parent, name] = this.#placeOf(link);
    return parent && this.#waiting.get(parent)?.get(name);
  }

  #placeOf(link: Link): [Directory | undefined, string] {
    const [before, name] = splitLast(link.target);
    const parent = this.#find(this.#root, { ...link, target: before }, true);
    return [parent?.kind === 'directory' ? parent : undefined, name];
  }

  #find(root: Directory, { target, path }: Link, follow = false): Node | undefined {
    return lookup(root, target, { follow, onLink: (link) => this.#budget.follow(link.target, path) });
  }
}

function checked(link: Link, node: Node | undefined): Node {
  if (node === undefined) throw bad(link, 'has no target');
  if (node.kind === 'directory') throw bad(link, 'leads to a directory');
  return node;
}

function bad({ path, target }: Link, what: string): FlattenError {
  const shown = printable(target.length > 200 ? `${target.slice(0, 200)}…` : target);
  return new FlattenError('BAD_LAYER', `the hard link to ${JSON.stringify(shown)} ${what}`, { path });
}
