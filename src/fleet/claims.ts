import { dirname, resolve } from 'node:path';
import { FlattenError } from '../errors.js';

/** Something that one job of a list writes. */
export interface Written {
  readonly path: string;
  readonly isDirectory: boolean;
}

/** Which place of a list writes and reads what: two that would get in each other's way are refused before any work. */
export class Claims {
  readonly #written = new Map<string, { readonly place: string; readonly isDirectory: boolean }>();
  readonly #read = new Map<string, string>();

  /** Notes what a place writes. Throws `USAGE` where another one writes it too. */
  write(files: readonly Written[], place: string): void {
    for (const { path, isDirectory } of files) {
      const key = resolve(path);
      const other = this.#written.get(key);
      if (other !== undefined) {
        const whose = other.place === place ? 'twice' : `and so does ${other.place}`;
        throw new FlattenError('USAGE', `${place}: writes ${path}, ${whose}`, {
          hint: 'give each image an output of its own: with {registry}, {repository} and {tag} in its name no two images have the same',
        });
      }
      this.#written.set(key, { place, isDirectory });
    }
  }

  /** Notes what a place reads. */
  read(path: string, place: string): void {
    this.#read.set(resolve(path), place);
  }

  /** Throws `USAGE` where a place writes what another one reads, or into a directory that another one writes. */
  refuseMixed(): void {
    for (const [path, { place }] of this.#written) {
      const reader = this.#read.get(path);
      if (reader !== undefined)
        throw new FlattenError('USAGE', `${place}: writes ${path}, which ${reader} reads`);
      for (let above = dirname(path); above !== dirname(above); above = dirname(above)) {
        const other = this.#written.get(above);
        if (other?.isDirectory && other.place !== place)
          throw new FlattenError(
            'USAGE',
            `${place}: writes ${path}, and ${other.place} writes all of ${above}`,
          );
      }
    }
  }
}
