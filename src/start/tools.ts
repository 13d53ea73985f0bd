import { smallFile } from '../layer/small-file.js';
import type { Directory, Node } from '../rootfs/node.js';
import { lookup } from '../rootfs/path.js';

/** Where images have programs: besides the usual places, where distroless images keep the busybox of their debug variants. */
const DIRECTORIES = ['bin', 'usr/bin', 'sbin', 'usr/sbin', 'usr/local/bin', 'usr/local/sbin', 'busybox'];

/** The programs of a tree, found without running any. */
export class Tools {
  readonly #root: Directory;
  readonly #busybox: string | undefined;
  readonly #texts = new Map<string, string>();

  constructor(root: Directory) {
    this.#root = root;
    this.#busybox = this.#path('busybox');
  }

  /** How a shell runs it: a path, or the path of a busybox that has it and its name there; undefined where the tree has none. */
  find(name: string): string | undefined {
    return this.#path(name) ?? this.findApplet(name);
  }

  /** The same, but only by busybox's own name: a tree may have others of the same name. */
  findApplet(name: string): string | undefined {
    const isApplet = this.#busybox !== undefined && this.#text(this.#busybox).includes(`\0${name}\0`);
    return isApplet ? `${this.#busybox} ${name}` : undefined;
  }

  /** The same, but only one that is not busybox's: those of busybox have few options. */
  findFull(name: string): string | undefined {
    const path = this.#path(name);
    return path === undefined || this.#text(path).includes('BusyBox v') ? undefined : path;
  }

  /** Whether the program has these words in its text. */
  says(path: string, words: string): boolean {
    return this.#text(path).includes(words);
  }

  /** The inodes that a command of {@link find} is run by: the file, and the symlinks that lead to it. */
  nodesOf(command: string): Node[] {
    const links: Node[] = [];
    const onLink = (link: Node) => links.push(link);
    const file = lookup(this.#root, command.split(' ', 1)[0]!, { follow: true, onLink });
    return file === undefined ? links : [...links, file];
  }

  #path(name: string): string | undefined {
    const paths = DIRECTORIES.map((directory) => `/${directory}/${name}`);
    return paths.find((path) => {
      const node = lookup(this.#root, path, { follow: true });
      return node?.kind === 'file' && (node.meta.mode & 0o111) !== 0;
    });
  }

  #text(path: string): string {
    const known = this.#texts.get(path);
    if (known !== undefined) return known;
    const text = smallFile(this.#root, path);
    this.#texts.set(path, text);
    return text;
  }
}
