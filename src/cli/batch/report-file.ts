import { closeSync, openSync, writeSync } from 'node:fs';
import { ioError } from '../../errors.js';
import type { BatchResult } from '../../fleet/result.js';
import { entryOf } from './entry.js';

/** A file with a line of JSON for each image: a line is there as soon as its image has ended. */
export class ReportFile {
  readonly #path: string;
  readonly #fd: number;

  /** Begins the file anew. Throws `IO`. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, 'w');
    } catch (error) {
      throw ioError(error, `{report: ${path}}`);
    }
  }

  /** Throws `IO`. */
  add(result: BatchResult): void {
    try {
      writeSync(this.#fd, `${JSON.stringify(entryOf(result))}\n`);
    } catch (error) {
      throw ioError(error, `{report: ${this.#path}}`);
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}
