import { FlattenError } from '../errors.js';
import { type Directory, directory } from '../rootfs/node.js';
import { components, lookup, MAX_LINKS } from '../rootfs/path.js';

/** A directory of the layer's tree, and its path there once links were followed. */
export interface Place {
  readonly directory: Directory;
  readonly names: readonly string[];
}

/** What {@link Parents} works on. */
export interface ParentsOptions {
  /** The layer's tree; implied directories are made in it. */
  readonly root: Directory;
  /** Takes every directory that is implied. */
  readonly implied: Set<Directory>;
  /** The tree so far. */
  readonly lower: Directory;
  /** Names that the layer's whiteouts remove from the lower. */
  readonly removed: ReadonlyMap<Directory, ReadonlySet<string>>;
  /** Follow a lower layer's symlink to a directory instead of replacing it. */
  readonly keepDirlinks: boolean;
}

/**
 * Finds the directory that an entry belongs in: rules 3 and 4 of the layer rules. What is missing on the way is
 * implied; a symlink of this layer is followed inside the root; anything else in the way is replaced.
 */
export class Parents {
  readonly #options: ParentsOptions;
  /** The parent that the entry before had: entries come in runs. */
  #lastKey: string | undefined;
  #last: Place;

  constructor(options: ParentsOptions) {
    this.#options = options;
    this.#last = { directory: options.root, names: [] };
  }

  /** The directory that `parts` name. Throws `BAD_LAYER`, naming `path`, where symlinks go round in circles. */
  of(parts: readonly string[], path: string): Place {
    const key = parts.join('/');
    if (key !== this.#lastKey) {
      this.#last = this.#resolve(parts, path);
      this.#lastKey = key;
    }
    return this.#last;
  }

  /** To be called when a name was given to another inode: paths may lead elsewhere now. */
  forget(): void {
    this.#lastKey = undefined;
  }

  /** With `keepDirlinks`: where a lower symlink leads that this layer neither replaces nor removes, if to a directory. */
  lowerDirlink(parent: Place, name: string): string | undefined {
    const { keepDirlinks, lower, removed } = this.#options;
    if (!keepDirlinks || parent.directory.children.has(name) || removed.get(parent.directory)?.has(name))
      return undefined;
    const path = [...parent.names, name].join('/');
    const link = lookup(lower, path);
    return link?.kind === 'symlink' && lookup(lower, path, true)?.kind === 'directory'
      ? link.target
      : undefined;
  }

  #resolve(parts: readonly string[], path: string): Place {
    const queue = [...parts].reverse();
    const names: string[] = [];
    const directories = [this.#options.root];
    let links = 0;
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      const here = directories[directories.length - 1]!;
      if (name === '..') {
        if (names.pop() !== undefined) directories.pop();
        continue;
      }
      const child = here.children.get(name);
      const target =
        child?.kind === 'symlink' ? child.target : this.lowerDirlink({ directory: here, names }, name);
      if (target === undefined) {
        names.push(name);
        directories.push(child?.kind === 'directory' ? child : this.#imply(here, name));
        continue;
      }
      if (++links > MAX_LINKS) {
        const link = [...names, name].join('/');
        throw new FlattenError('BAD_LAYER', `its parent ${link} is a cycle of symlinks`, { path });
      }
      if (target.startsWith('/')) names.length = directories.length = 0;
      if (directories.length === 0) directories.push(this.#options.root);
      queue.push(...components(target).reverse());
    }
    return { directory: directories[directories.length - 1]!, names };
  }

  #imply(parent: Directory, name: string): Directory {
    const implied = directory();
    this.#options.implied.add(implied);
    parent.children.set(name, implied);
    return implied;
  }
}
