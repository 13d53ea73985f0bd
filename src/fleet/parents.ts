import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ioError } from '../errors.js';

/** The directories that outputs lie in, made where they are missing. */
export class Parents {
  readonly #made = new Set<string>();

  /** Makes the directory of an output, and those that lead there. */
  make(output: string): void {
    const parent = dirname(resolve(output));
    let first: string | undefined;
    try {
      first = mkdirSync(parent, { recursive: true });
    } catch (error) {
      throw ioError(error, `${dirname(output)}: the directory of the output cannot be made`);
    }
    if (first === undefined) return;
    for (let made = parent; ; made = dirname(made)) {
      this.#made.add(made);
      if (made === first) return;
    }
  }

  /** Takes those away that were made for nothing. To be called when nobody writes any more. */
  removeEmpty(): void {
    const deepest = [...this.#made].sort((a, b) => b.length - a.length);
    for (const directory of deepest) {
      try {
        rmdirSync(directory);
      } catch {} // there is something in it
    }
  }
}
