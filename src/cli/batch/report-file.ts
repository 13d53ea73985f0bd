import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { FlattenError, ioError } from '../../errors.js';
import type { BatchResult } from '../../fleet/result.js';
import { entryOf } from './entry.js';

/** What each line of a report begins with. */
const BEGINNING = '{"reference":';

/** A file with a line of JSON for each image: a line is there as soon as its image has ended. */
export class ReportFile {
  readonly #path: string;
  readonly #fd: number;

  /** Begins the file anew. Throws `IO`, and `USAGE` where something else than a report has the name: a list or an image, by a slip. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, constants.O_RDWR | constants.O_CREAT);
      if (!mayBeReport(this.#fd)) throw noReport(path);
      if (fstatSync(this.#fd).isFile()) ftruncateSync(this.#fd);
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

/** A file that is empty or begins as a report does; no file, as /dev/stderr, is written to as it is. */
function mayBeReport(fd: number): boolean {
  if (!fstatSync(fd).isFile()) return true;
  const bytes = Buffer.alloc(BEGINNING.length);
  const length = readSync(fd, bytes, 0, bytes.length, 0);
  return length === 0 || bytes.toString('latin1') === BEGINNING;
}

function noReport(path: string): FlattenError {
  return new FlattenError('USAGE', `{report: ${path}}: exists already, and is no report`, {
    hint: 'name another file, or remove it',
  });
}
