import { closeSync, fstatSync, lstatSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { FlattenError } from '../../errors.js';
import type { Libc } from '../../host/libc.js';
import { makeBare } from './bare.js';
import { openDirectory, pathOfDescriptor } from './descriptor.js';
import { NAMES } from './names.js';
import type { Place } from './place.js';
import { removeContents } from './remove.js';
import { siblingName } from './sibling.js';

/** The directory that an output is to appear in, held open. */
export interface Parent {
  /** Leads there whatever becomes of its name: see {@link pathOfDescriptor}. */
  readonly path: string;
  close(): void;
}

/** Opens an output's directory. */
export function openParent({ parent }: Place): Parent {
  const fd = openDirectory(parent);
  return { path: pathOfDescriptor(fd, parent), close: () => closeSync(fd) };
}

/**
 * A directory beside an output that nobody but this user (and root) can enter, held open: all work on the output is done
 * in it, by `path`, so that others who may write to the output's directory can rename what they like and change nothing
 * of the work.
 */
export class PrivateDirectory {
  /** Leads into it whatever becomes of its name. */
  readonly path: string;
  readonly #fd: number;
  readonly #place: string;
  #isOpen = true;

  /** Makes it in the directory that `parent` leads to. */
  constructor(output: string, parent: string, libc: Libc | undefined) {
    this.#place = join(parent, siblingName(output));
    mkdirSync(this.#place, 0o700);
    this.#fd = openDirectory(this.#place);
    try {
      this.path = pathOfDescriptor(this.#fd, this.#place);
      // Between the two calls somebody may have put another directory there: of root's own too, but none that is empty by chance.
      if (!isOwn(this.#fd) || readdirSync(this.path).length > 0) throw interfered(output);
      makeBare(this.#fd, this.path, libc);
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /**
   * Removes it without another turn of the event loop, for a process that ends: threads may still write to it, and
   * what resists is left to the next run. So is an old output that is not yet replaced.
   */
  removeNow(): void {
    if (!this.#isOpen) return;
    const names = readdirSync(this.path);
    if (names.includes(NAMES.old) && names.includes(NAMES.made)) return;
    for (const name of names) rmSync(join(this.path, name), { recursive: true, force: true, maxRetries: 5 });
    rmdirSync(this.#place);
  }

  /** Removes it with all that is in it; harmless when done before. Throws what keeps something from being removed: it stays open then. */
  async remove(): Promise<void> {
    if (!this.#isOpen) return;
    if (!this.#isRemoved()) {
      await removeContents(this.#fd, this.path);
      this.#removeEmpty();
    }
    this.#isOpen = false;
    closeSync(this.#fd);
  }

  /** Removes it where it holds files only, which takes no descriptor: the process may have none left. */
  #isRemoved(): boolean {
    try {
      for (const name of Object.values(NAMES)) rmSync(join(this.path, name), { force: true });
      this.#removeEmpty();
      return true;
    } catch {
      return false;
    }
  }

  #removeEmpty(): void {
    const there = lstatSync(this.#place, { throwIfNoEntry: false });
    if (there?.ino === fstatSync(this.#fd).ino) rmdirSync(this.#place);
  }
}

/** Whether an open directory is this user's. */
export function isOwn(fd: number): boolean {
  const uid = process.geteuid?.();
  return uid === undefined || fstatSync(fd).uid === uid;
}

function interfered(output: string): FlattenError {
  return new FlattenError('IO', `${output}: somebody else moves things in its directory at the same time`, {
    hint: 'write to a directory that only you may change, and move the output from there',
  });
}
