import { FlattenError, printable } from '../errors.js';
import type { Directory, Node } from '../rootfs/node.js';
import { components, lookup } from '../rootfs/path.js';

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
  readonly #waiting = new Map<Directory, Map<string, Link>>();

  constructor(root: Directory, lower: Directory) {
    this.#root = root;
    this.#lower = lower;
  }

  /** Puts the link's inode in its place, or makes the link wait. */
  add(link: Link): void {
    const { parent, name } = link;
    const [targetParent, targetName] = this.#placeOf(link.target);
    if (targetParent === parent && targetName === name) throw bad(link, 'links to itself');
    const found = lookup(this.#root, link.target);
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
      const found = lookup(this.#root, link.target);
      const next = found === undefined ? this.#waitingAt(link.target) : undefined;
      if (next === undefined) {
        const node = checked(link, found ?? lookup(this.#lower, link.target));
        for (const { parent, name } of chain) parent.children.set(name, node);
        return;
      }
      if (chain.has(next)) throw bad(link, 'is one of a circle of hard links');
      chain.add(next);
      link = next;
    }
  }

  #waitingAt(path: string): Link | undefined {
    const [parent, name] = this.#placeOf(path);
    return parent && this.#waiting.get(parent)?.get(name);
  }

  #placeOf(path: string): [Directory | undefined, string] {
    const parts = components(path);
    const name = parts.pop() ?? '';
    const parent = lookup(this.#root, parts.join('/'), true);
    return [parent?.kind === 'directory' ? parent : undefined, name];
  }
}

function checked(link: Link, node: Node | undefined): Node {
  if (node === undefined) throw bad(link, 'has no target');
  if (node.kind === 'directory') throw bad(link, 'leads to a directory');
  return node;
}

function bad({ path, target }: Link, what: string): FlattenError {
  return new FlattenError('BAD_LAYER', `the hard link to ${JSON.stringify(printable(target))} ${what}`, {
    path,
  });
}
