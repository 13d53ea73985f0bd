import { FlattenError, printable } from '../errors.js';
import { type Directory, directory, type Node } from '../rootfs/node.js';
import { components, lookup, MAX_LINKS, MAX_PATH } from '../rootfs/path.js';
import type { Budget } from './budget.js';
import { detached } from './detached.js';

/** A step on the way to a directory of the layer's tree. */
interface Step {
  readonly directory: Directory;
  /** With `keepDirlinks`: the lower's directory there, unless this layer hides it. */
  readonly lower: Directory | undefined;
}

/** A directory of the layer's tree, and its path there once links were followed. */
export interface Place extends Step {
  readonly names: readonly string[];
  /** Bytes that links made the path longer by. */
  readonly detour: number;
}

/** What {@link Parents} works on. */
export interface ParentsOptions {
  /** The layer's tree; implied directories are made in it. */
  readonly root: Directory;
  /** Takes every directory that is implied. */
  readonly implied: Set<Directory>;
  /** The tree so far. */
  readonly lower: Directory;
  /** What the layer hides of the lower: names that whiteouts remove, and directories that hide all of it. */
  readonly removed: ReadonlyMap<Directory, ReadonlySet<string>>;
  readonly opaque: ReadonlySet<Directory>;
  /** Follow a lower layer's symlink to a directory instead of replacing it. */
  readonly keepDirlinks: boolean;
  readonly budget: Budget;
}

/**
 * Finds the directory that an entry belongs in: rules 3 and 4 of the layer rules. What is missing on the way is
 * implied; a symlink of this layer is followed inside the root; anything else in the way is replaced.
 */
export class Parents {
  readonly #options: ParentsOptions;
  readonly #top: Step;
  /** The parent that the entry before had, as written: entries come in runs. */
  #lastPath: string | undefined;
  #last: Place;

  constructor(options: ParentsOptions) {
    const { root, lower, keepDirlinks } = options;
    this.#options = options;
    this.#top = { directory: root, lower: keepDirlinks ? lower : undefined };
    this.#last = { ...this.#top, names: [], detour: 0 };
  }

  /** The directory that `parent` names, for the entry `path`, which errors name: a `..`, too deep, a circle of symlinks. */
  of(parent: string, path: string): Place {
    if (parent !== this.#lastPath) {
      const parts = components(parent);
      if (parts.includes('..'))
        throw new FlattenError('BAD_LAYER', 'a name that leads out by `..`', { path });
      this.#last = this.#resolve(parts, path);
      this.#lastPath = parent;
    }
    return this.#last;
  }

  /** To be called when a name was given to another inode: paths may lead elsewhere now. */
  forget(): void {
    this.#lastPath = undefined;
  }

  /** With `keepDirlinks`: where a lower symlink leads that this layer neither replaces nor removes, if to a directory. */
  lowerDirlink(place: Omit<Place, 'detour'>, name: string): string | undefined {
    if (place.lower === undefined || place.directory.children.has(name)) return undefined;
    const link = this.#below(place, name);
    if (link?.kind !== 'symlink') return undefined;
    const path = [...place.names, name].join('/');
    const onLink = ({ target }: { target: string }) => this.#options.budget.follow(target, path);
    const end = lookup(this.#options.lower, path, { follow: true, onLink });
    return end?.kind === 'directory' ? link.target : undefined;
  }

  /** What the lower has there and this layer does not hide. */
  #below({ directory, lower }: Step, name: string): Node | undefined {
    const { opaque, removed } = this.#options;
    if (opaque.has(directory) || removed.get(directory)?.has(name)) return undefined;
    return lower?.children.get(name);
  }

  #resolve(parts: readonly string[], path: string): Place {
    const queue = [...parts].reverse();
    const places = [this.#top];
    const names: string[] = [];
    let links = 0;
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      const here = places[places.length - 1]!;
      if (name === '..') {
        if (names.pop() !== undefined) places.pop();
        continue;
      }
      const child = here.directory.children.get(name);
      const target =
        child?.kind === 'symlink' ? child.target : here.lower && this.lowerDirlink({ ...here, names }, name);
      if (target === undefined) {
        places.push(this.#step(here, name, child, path));
        names.push(name);
        continue;
      }
      if (++links > MAX_LINKS) throw circle([...names, name].join('/'), path);
      this.#options.budget.follow(target, path);
      if (target.startsWith('/')) names.length = places.length = 0;
      if (places.length === 0) places.push(this.#top);
      queue.push(...components(target).reverse());
    }
    const length = links > 0 ? lengthOf(names, path) : 0;
    const detour = Math.max(0, length - path.length);
    return { ...places[places.length - 1]!, names, detour };
  }

  #step(here: Step, name: string, child: Node | undefined, path: string): Step {
    const below = here.lower && this.#below(here, name);
    const lower = below?.kind === 'directory' ? below : undefined;
    const directory = child?.kind === 'directory' ? child : this.#imply(here.directory, name, path);
    return { directory, lower };
  }

  #imply(parent: Directory, name: string, path: string): Directory {
    this.#options.budget.imply(path);
    const implied = directory();
    this.#options.implied.add(implied);
    parent.children.set(detached(name), implied);
    return implied;
  }
}

function circle(link: string, path: string): FlattenError {
  return new FlattenError('BAD_LAYER', `its parent ${printable(link)} is a cycle of symlinks`, { path });
}

/** A short path may lead through links to a deep place, whose own path no system call takes. */
function lengthOf(names: readonly string[], path: string): number {
  let length = 0;
  for (const name of names) length += name.length + 1;
  if (length > MAX_PATH) {
    throw new FlattenError('LIMIT', `symlinks lead it to a path of more than ${MAX_PATH} bytes`, { path });
  }
  return length;
}
