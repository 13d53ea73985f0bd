import { closeSync, constants, openSync } from 'node:fs';

const O_PATH = 0o10000000; // Linux: opens without permission to read
const FLAGS = constants.O_DIRECTORY | constants.O_NOFOLLOW | O_PATH;

/**
 * A directory deep in a tree, held open, so that paths of what lies deeper are short. The system walks a path from its
 * start: without it, a tree that is 2,000 directories deep takes 2,000 steps for each entry.
 */
export class Anchor {
  /** Where this process finds its descriptors, with a slash at the end; undefined where the system has no such place. */
  readonly #descriptors: string | undefined;
  #fd: number | undefined;
  /** The directory's number; 0 while there is none. */
  directory = 0;

  /** `root` leads to the tree; only where that goes by a descriptor, there may be another. */
  constructor(root: string) {
    this.#descriptors = /^\/proc\/\d+\/fd\//.exec(root)?.[0];
  }

  /** Its path, without a trailing slash. */
  get path(): string {
    return `${this.#descriptors}${this.#fd}`;
  }

  /** Takes the place of the one before. Without descriptors left, or where it cannot be opened, there is none: paths are long then. */
  moveTo(directory: number, path: Buffer): void {
    if (this.#descriptors === undefined) return;
    this.close();
    try {
      this.#fd = openSync(path, FLAGS);
      this.directory = directory;
    } catch {}
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.directory = 0;
  }
}
