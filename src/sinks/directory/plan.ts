import { FlattenError } from '../../errors.js';
import { byPosition } from '../../layer/content.js';
import type { Device, Directory, Fifo, File, Node, Symlink } from '../../rootfs/node.js';
import { packNames, sharedUint32 } from '../../threads/shared.js';
import { type DirectoryTable, NAME_MAX, PATH_MAX } from './paths.js';

/** An inode and its first name: `name`, latin1, in directory number `directory`. */
export interface Named<T extends Node = Node> {
  readonly directory: number;
  readonly name: string;
  readonly node: T;
}

/** A further name of an inode. */
export interface Link extends Named {
  readonly first: Named;
}

/** A tree, sorted by what there is to do. */
export interface Plan {
  readonly table: DirectoryTable;
  /** By number: the root first, each before what lies in it. */
  readonly directories: readonly Directory[];
  /** As their content lies on disk. */
  readonly files: readonly Named<File>[];
  readonly symlinks: readonly Named<Symlink>[];
  readonly specials: readonly Named<Device | Fifo>[];
  readonly links: readonly Link[];
}

/**
 * Sorts a tree that is to lie at `root`, a host path. Throws `UNSUPPORTED` for what Linux cannot hold there: a name, path
 * or target that is too long, and names that are none.
 */
export function planTree(tree: Directory, root: string): Plan {
  const planner = new Planner(tree, Buffer.byteLength(root));
  planner.walk();
  return planner.plan();
}

/** A directory whose children are being sorted. */
interface Frame {
  readonly number: number;
  readonly children: Iterator<[string, Node]>;
}

class Planner {
  readonly #directories: Directory[];
  readonly #names = [''];
  readonly #parents = [0];
  /** Of the host paths, in bytes. */
  readonly #lengths: number[];
  readonly #files: Named<File>[] = [];
  readonly #symlinks: Named<Symlink>[] = [];
  readonly #specials: Named<Device | Fifo>[] = [];
  readonly #links: Link[] = [];
  readonly #firsts = new Map<Node, Named>();

  constructor(tree: Directory, rootLength: number) {
    this.#directories = [tree];
    this.#lengths = [rootLength];
  }

  /** Depth first and in the order of insertion, which is mostly the order of content on disk. Depth costs no stack. */
  walk(): void {
    const stack: Frame[] = [{ number: 0, children: this.#directories[0]!.children[Symbol.iterator]() }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.children.next();
      if (next.done) {
        stack.pop();
        continue;
      }
      const [name, node] = next.value;
      const length = this.#check(top.number, name, node);
      if (node.kind !== 'directory') {
        this.#sort({ directory: top.number, name, node });
        continue;
      }
      stack.push({ number: this.#directories.length, children: node.children[Symbol.iterator]() });
      this.#directories.push(node);
      this.#names.push(name);
      this.#parents.push(top.number);
      this.#lengths.push(length);
    }
  }

  plan(): Plan {
    const { names, ends } = packNames(this.#names);
    const parents = sharedUint32(this.#parents.length);
    parents.set(this.#parents);
    return {
      table: { parents, names, ends },
      directories: this.#directories,
      files: this.#files.sort((a, b) => byPosition(a.node.content, b.node.content)),
      symlinks: this.#symlinks,
      specials: this.#specials,
      links: this.#links,
    };
  }

  #sort(named: Named): void {
    const { node } = named;
    if (node.nlink > 1) {
      const first = this.#firsts.get(node);
      if (first !== undefined) {
        this.#links.push({ ...named, first });
        return;
      }
      this.#firsts.set(node, named);
    }
    if (node.kind === 'file') this.#files.push(named as Named<File>);
    else if (node.kind === 'symlink') this.#symlinks.push(named as Named<Symlink>);
    else this.#specials.push(named as Named<Device | Fifo>);
  }

  /** The length of the host path of a name that a directory can hold. */
  #check(directory: number, name: string, node: Node): number {
    const length = this.#lengths[directory]! + 1 + name.length;
    const problem =
      nameProblem(name, length) ?? (node.kind === 'symlink' ? targetProblem(node.target) : undefined);
    if (problem === undefined) return length;
    throw new FlattenError('UNSUPPORTED', problem, {
      path: this.#path(directory, name),
      hint: 'write a flat tar instead: {output: rootfs.tar}',
    });
  }

  #path(directory: number, name: string): string {
    const parts = [name];
    for (let each = directory; each !== 0; each = this.#parents[each]!) parts.push(this.#names[each]!);
    return parts.reverse().join('/');
  }
}

function nameProblem(name: string, length: number): string | undefined {
  if (name.length > NAME_MAX) return `a name of ${name.length} bytes: a file system holds ${NAME_MAX}`;
  if (length > PATH_MAX) return `a path of ${length} bytes with the output's own: Linux takes ${PATH_MAX}`;
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) return 'is no name';
  return undefined;
}

function targetProblem(target: string): string | undefined {
  if (target.length > PATH_MAX) return `a symlink target of ${target.length} bytes: Linux takes ${PATH_MAX}`;
  if (target === '' || target.includes('\0')) return 'a symlink whose target is no path';
  return undefined;
}
