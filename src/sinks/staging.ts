import { linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';
import { type Libc, libc } from '../layer/libc.js';
import { begin, end } from './staging/active.js';
import { makeBareDirectory } from './staging/bare.js';
import { removeLeftovers } from './staging/leftovers.js';
import {
  isMounted,
  type Kind,
  locate,
  outputExists,
  type Place,
  refuseExisting,
  refuseMounts,
} from './staging/place.js';
import { removeTree } from './staging/remove.js';
import { siblingNames } from './staging/sibling.js';

export { refuseExisting } from './staging/place.js';

export interface StagingOptions {
  /** Replace an existing output. */
  readonly force: boolean;
  /** Looks at the finished sibling before it appears; what it throws stops that. */
  readonly check?: (path: string) => Promise<void>;
  /** The system calls to use. Default: {@link libc}'s. */
  readonly libc?: Libc | undefined;
}

/** An output in the making: a hidden sibling, in the output's own directory, of a name that a later run recognises. */
export interface Staging {
  /** Where to write. A file is not there yet: open it with `wx`. A directory is, with mode 0700 and nothing to inherit. */
  readonly path: string;
  /**
   * Puts the finished sibling in the output's place. Without `force` nothing that appeared meanwhile is replaced
   * (`OUTPUT_EXISTS`); with it the old output stays until the new one is in its place, and is removed then.
   */
  publish(): Promise<void>;
  /** Removes the sibling, however much of it there is; harmless after `publish`. Never throws: the next run removes the rest. */
  discard(): Promise<void>;
}

/** Prepares a file output. Removes what dead runs to it left behind. Throws as {@link refuseExisting} does. */
export async function stageFile(output: string, options: StagingOptions): Promise<Staging> {
  return stage(output, 'file', options);
}

/** Prepares a directory output: as {@link stageFile}, and makes the empty sibling. */
export async function stageDirectory(output: string, options: StagingOptions): Promise<Staging> {
  const staging = await stage(output, 'directory', options);
  try {
    makeBareDirectory(staging.path, chosenLibc(options));
  } catch (error) {
    await staging.discard();
    throw ioError(error, `${output}: cannot be written`);
  }
  return staging;
}

async function stage(output: string, kind: Kind, options: StagingOptions): Promise<Staging> {
  const place = locate(output);
  try {
    await removeLeftovers(place);
  } catch (error) {
    throw ioError(error, `${output}: cannot be written`);
  }
  refuseExisting(place.target, kind, options);
  const sibling = new Sibling(output, place, kind, options);
  if (!begin(sibling.path)) throw new FlattenError('OUTPUT_EXISTS', `${output}: is being written already`);
  return sibling;
}

class Sibling implements Staging {
  readonly path: string;
  readonly #output: string;
  readonly #target: string;
  readonly #old: string;
  readonly #kind: Kind;
  readonly #options: StagingOptions;

  constructor(output: string, { parent, name, target }: Place, kind: Kind, options: StagingOptions) {
    const { staged, old } = siblingNames(name);
    this.path = join(parent, staged);
    this.#old = join(parent, old);
    this.#output = output;
    this.#target = target;
    this.#kind = kind;
    this.#options = options;
  }

  async publish(): Promise<void> {
    const { force, check } = this.#options;
    await check?.(this.path);
    try {
      const old = force ? lstatSync(this.#target, { throwIfNoEntry: false }) : undefined;
      if (old === undefined) this.#place();
      else if (this.#kind === 'file' && !old.isDirectory()) renameSync(this.path, this.#target);
      else await this.#replace(old.isDirectory());
      end(this.path);
    } catch (error) {
      throw this.#inWords(error);
    }
  }

  async discard(): Promise<void> {
    await removeTree(this.path).catch(() => {});
    end(this.path);
  }

  /** Where nothing may be replaced. A directory's rename replaces an empty directory only; a file's would replace any file. */
  #place(): void {
    if (this.#kind === 'directory') {
      renameSync(this.path, this.#target);
    } else if (this.#isLinked()) {
      unlinkSync(this.path);
    } else if (!this.#rename2('noreplace')) {
      if (lstatSync(this.#target, { throwIfNoEntry: false })) throw outputExists(this.#output);
      renameSync(this.path, this.#target);
    }
  }

  /** A second name for the finished file; false where the file system has no hard links. */
  #isLinked(): boolean {
    try {
      linkSync(this.path, this.#target);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') throw error;
      return false;
    }
  }

  /** Where a plain rename cannot replace at once: the old output or the new one is a directory. */
  async #replace(isDirectory: boolean): Promise<void> {
    if (isDirectory) refuseMounts(this.#target);
    const old = this.#rename2('exchange') ? this.path : this.#swap();
    try {
      await removeTree(old);
    } catch (error) {
      throw ioError(error, `${this.#output}: is replaced, but the old one is not quite removed from ${old}`);
    }
  }

  /** False where kernel, file system or C library do not have it. */
  #rename2(how: 'exchange' | 'noreplace'): boolean {
    const c = chosenLibc(this.#options);
    try {
      c?.renameat2(Buffer.from(this.path), Buffer.from(this.#target), how);
      return c !== undefined;
    } catch (error) {
      if (['ENOSYS', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) return false;
      throw error;
    }
  }

  /** The next best: two renames. A run that is killed between them is put right by the next one. */
  #swap(): string {
    renameSync(this.#target, this.#old);
    try {
      renameSync(this.path, this.#target);
    } catch (error) {
      renameSync(this.#old, this.#target);
      throw error;
    }
    return this.#old;
  }

  #inWords(error: unknown): FlattenError {
    if (['EEXIST', 'ENOTEMPTY', 'ENOTDIR', 'EISDIR'].includes(codeOf(error)))
      return outputExists(this.#output);
    if (codeOf(error) === 'EBUSY') return isMounted(this.#output, this.#output);
    return ioError(error, `${this.#output}: cannot be put in place`);
  }
}

function chosenLibc(options: StagingOptions): Libc | undefined {
  return 'libc' in options ? options.libc : libc();
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
