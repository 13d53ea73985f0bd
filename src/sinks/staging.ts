import { closeSync, linkSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';
import { type Libc, libc } from '../host/libc.js';
import { begin, end, leave, workIn } from './staging/active.js';
import { openDirectory, pathOfDescriptor } from './staging/descriptor.js';
import { removeLeftovers } from './staging/leftovers.js';
import { NAMES } from './staging/names.js';
import { locate } from './staging/place.js';
import { openParent, type Parent, PrivateDirectory } from './staging/private.js';
import { isMounted, type Kind, outputExists, type Replacement, refuseExisting } from './staging/replace.js';
import { move, rename2, swap } from './staging/swap.js';

export { refuseExisting } from './staging/replace.js';

export interface StagingOptions extends Replacement {
  /** Looks at the finished output before it appears; what it throws stops that. */
  readonly check?: (path: string) => Promise<void>;
  /** The system calls to use. Default: {@link libc}'s. */
  readonly libc?: Libc | undefined;
}

/** An output in the making, in a {@link PrivateDirectory} beside its place. */
export interface Staging {
  /** Where to write. A file is not there yet: open it with `wx`. A directory is, with mode 0700 and nothing to inherit. */
  readonly path: string;
  /** Where to write what the output is made of. It is not there yet, and goes with the private directory. */
  readonly raw: string;
  /**
   * Puts the finished output in its place. Without `force` nothing that appeared meanwhile is replaced (`OUTPUT_EXISTS`);
   * with it the old output stays until the new one is in its place, and is removed then.
   */
  publish(): Promise<void>;
  /** Removes all that was written; harmless after `publish`. Never throws: the next run removes the rest. */
  discard(): Promise<void>;
}

/** Prepares a file output. Removes what dead runs to it left behind. Throws as {@link refuseExisting} does. */
export async function stageFile(output: string, options: StagingOptions): Promise<Staging> {
  return stage(output, 'file', options);
}

/** Prepares a directory output: as {@link stageFile}, and makes the empty directory. */
export async function stageDirectory(
  output: string,
  options: StagingOptions & Required<Pick<Replacement, 'top'>>,
): Promise<Staging> {
  return stage(output, 'directory', options);
}

/** Prepares an OCI layout: as {@link stageDirectory}. */
export async function stageLayout(output: string, options: StagingOptions): Promise<Staging> {
  return stage(output, 'layout', options);
}

async function stage(output: string, kind: Kind, options: StagingOptions): Promise<Staging> {
  const place = locate(output);
  if (!begin(place.target)) {
    refuseExisting(output, kind, options);
    throw new FlattenError('OUTPUT_EXISTS', `${output}: is being written already`);
  }
  const c = 'libc' in options ? options.libc : libc();
  let parent: Parent | undefined;
  let directory: PrivateDirectory | undefined;
  try {
    parent = openParent(place);
    await removeLeftovers(place, parent.path);
    refuseExisting(output, kind, options); // an old output may have been put back
    directory = new PrivateDirectory(place.name, parent.path, c);
    workIn(place.target, directory);
    const work = { directory, parent, place: join(parent.path, place.name), target: place.target };
    const staged = new Staged(output, kind, { ...options, libc: c }, work);
    if (kind !== 'file') mkdirSync(staged.path, 0o700);
    return staged;
  } catch (error) {
    await directory?.remove().catch(() => {});
    parent?.close();
    end(place.target);
    throw ioError(error, `${output}: cannot be written`);
  }
}

/** Where the work is done. */
interface Workplace {
  readonly directory: PrivateDirectory;
  readonly parent: Parent;
  /** The output's place, by way of the open parent. */
  readonly place: string;
  /** The same by its name. */
  readonly target: string;
}

class Staged implements Staging {
  readonly path: string;
  readonly raw: string;
  readonly #output: string;
  readonly #kind: Kind;
  readonly #options: StagingOptions;
  readonly #work: Workplace;
  #isOpen = true;

  constructor(output: string, kind: Kind, options: StagingOptions, work: Workplace) {
    this.path = join(work.directory.path, NAMES.made);
    this.raw = join(work.directory.path, NAMES.raw);
    this.#output = output;
    this.#kind = kind;
    this.#options = options;
    this.#work = work;
  }

  async publish(): Promise<void> {
    const { place } = this.#work;
    await this.#options.check?.(this.path);
    try {
      const old = this.#options.force ? lstatSync(place, { throwIfNoEntry: false }) : undefined;
      if (old === undefined) this.#place();
      else if (this.#kind === 'file' && !old.isDirectory()) renameSync(this.path, place);
      else if (old.isDirectory()) await this.#replaceDirectory();
      else await this.#swap();
    } catch (error) {
      throw this.#placingError(error);
    }
    try {
      await this.#close();
    } catch (error) {
      throw ioError(error, `${this.#output}: is written, but what was there before is not quite removed`);
    }
  }

  async discard(): Promise<void> {
    await this.#close().catch(() => {});
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    const { directory, parent, target } = this.#work;
    try {
      await directory.remove();
      parent.close();
      end(target);
    } catch (error) {
      // The parent stays open: the directory is removed by way of it.
      end(target);
      leave(directory);
      throw error;
    }
  }

  /** Where nothing may be replaced. A directory's rename replaces an empty directory only; a file's would replace any file. */
  #place(): void {
    const { place } = this.#work;
    if (this.#kind !== 'file') move(this.path, place);
    else if (this.#isLinked()) unlinkSync(this.path);
    else if (!rename2(this.#options.libc, this.path, place, 'noreplace')) {
      if (lstatSync(place, { throwIfNoEntry: false })) throw outputExists(this.#output);
      renameSync(this.path, place);
    }
  }

  /** A second name for the finished file; false where the file system has no hard links. */
  #isLinked(): boolean {
    try {
      linkSync(this.path, this.#work.place);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw error;
      return false;
    }
  }

  /** What is in the old one counts as it is now, and it alone is replaced, whoever moves things meanwhile. */
  async #replaceDirectory(): Promise<void> {
    const fd = openDirectory(this.#work.place);
    try {
      const path = pathOfDescriptor(fd, this.#work.place);
      refuseExisting(this.#output, this.#kind, this.#options, `${path}/.`);
      await this.#swap({ fd, path });
    } finally {
      closeSync(fd);
    }
  }

  /** Where a plain rename cannot replace at once: the old output or the new one is a directory. */
  async #swap(old?: { readonly fd: number; readonly path: string }): Promise<void> {
    const { place, directory } = this.#work;
    await swap({
      made: this.path,
      place,
      inside: directory.path,
      libc: this.#options.libc,
      ...(old && { old }),
    });
  }

  #placingError(error: unknown): FlattenError {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(codeOf(error)))
      return outputExists(this.#output);
    if (codeOf(error) === 'EBUSY') return isMounted(this.#output, 'it is a mount point');
    return ioError(error, `${this.#output}: cannot be put in place`);
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
