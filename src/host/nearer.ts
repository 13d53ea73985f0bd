import { closeSync, constants, existsSync, openSync } from 'node:fs';

const O_PATH = 0o10000000; // Linux: opens without permission to read
const FLAGS = constants.O_DIRECTORY | constants.O_NOFOLLOW | O_PATH;
const DESCRIPTORS = '/proc/self/fd';

/** Bytes of a path beyond which a directory is held open, so that paths in it are short. */
const LONG = 256;

/**
 * Shorter ways to what lies deep in a directory, for a walk that goes depth first. The system walks each path from its
 * start: a tree that is 2,000 directories deep would take 2,000 steps for each entry. Paths are latin1.
 */
export class Nearer {
  /** Directories that are open, each in the one before it. */
  readonly #open: { readonly directory: string; readonly fd: number }[] = [];
  readonly #isAble = existsSync(DESCRIPTORS);

  /** A path for the system that leads where `path` leads; good until the next call. */
  wayTo(path: string): string {
    let last = this.#open.at(-1);
    for (; last !== undefined && !path.startsWith(last.directory); last = this.#open.at(-1)) this.#pop();
    if (last === undefined) return path;
    return `${DESCRIPTORS}/${last.fd}/${path.slice(last.directory.length)}`;
  }

  /** Holds a directory open where the way to it is long. What cannot be opened is reached the long way. */
  enter(directory: string): void {
    const way = this.wayTo(directory);
    if (!this.#isAble || way.length < LONG) return;
    try {
      this.#open.push({ directory: `${directory}/`, fd: openSync(Buffer.from(way, 'latin1'), FLAGS) });
    } catch {}
  }

  close(): void {
    while (this.#open.length > 0) this.#pop();
  }

  #pop(): void {
    closeSync(this.#open.pop()!.fd);
  }
}
