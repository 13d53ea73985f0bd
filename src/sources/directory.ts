import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { FlattenError, ioError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import type { InputBounds } from '../layer/input-bounds.js';
import { shown } from '../oci/shown.js';
import type { Members } from './members.js';

/** The files below a directory: an OCI layout, or an image archive that somebody has unpacked. */
export class DirectoryMembers implements Members {
  readonly name: string;
  readonly isArchive = false;
  readonly #root: string;
  readonly #bounds: InputBounds | undefined;
  readonly #open = new Map<string, ByteRange>();

  /** `bounds` is told of each file that is opened. */
  constructor(name: string, bounds?: InputBounds) {
    this.name = name;
    this.#bounds = bounds;
    this.#root = realpathSync(name);
  }

  top(): ReadonlySet<string> {
    return new Set(this.#reading('.', () => readdirSync(this.#root)));
  }

  names(directory: string): ReadonlySet<string> {
    const path = join(this.#root, Buffer.from(directory, 'latin1').toString('utf8'));
    if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) return new Set();
    const names = this.#reading(directory, () => readdirSync(path, { encoding: 'latin1' }));
    return new Set(names);
  }

  find(path: string): ByteRange | undefined {
    const real = this.#real(path);
    if (real === undefined) return undefined;
    const known = this.#open.get(real);
    if (known !== undefined) return known;
    // O_NONBLOCK: opening a fifo must not wait for somebody to write to it.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const fd = this.#reading(path, () => openSync(real, flags));
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      closeSync(fd);
      return undefined;
    }
    const range = { fd, offset: 0, length: stat.size };
    this.#open.set(real, range);
    this.#bounds?.add(stat.size);
    return range;
  }

  close(): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }

  /** Symlinks may lead from file to file here, but not out: the directory may hold what a stranger has packed. */
  #real(path: string): string | undefined {
    let real: string;
    try {
      real = realpathSync(join(this.#root, path));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
      if (code === 'ELOOP') {
        throw new FlattenError('BAD_IMAGE', `${shown(path)}: its links go round in a circle`, {
          cause: error,
        });
      }
      throw ioError(error, `reading ${shown(join(this.name, path))}`);
    }
    const way = relative(this.#root, real);
    if (way.split('/')[0] === '..' || isAbsolute(way)) {
      throw new FlattenError('BAD_IMAGE', `${shown(path)}: leads out of ${this.name}`, {
        hint: `copy the directory with its links followed: cp -rL ${this.name} COPY`,
      });
    }
    return real;
  }

  #reading<T>(path: string, read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw ioError(error, `reading ${shown(join(this.name, path))}`);
    }
  }
}
