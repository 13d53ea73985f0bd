import type { Limits } from '../context.js';
import { FlattenError } from '../errors.js';
import type { TarEntry } from '../tar/entry.js';

/** The most bytes that names, link targets and xattrs of one image may take; they are what is held in memory. */
export const MAX_METADATA = 512 * 2 ** 20;

/** Counts what an image's layers ask for against its limits. One budget serves all layers of an image. */
export class Budget {
  readonly #limits: Limits;
  #entries = 0;
  #size = 0;
  #metadata = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes an entry; throws `LIMIT` where it is one too many. */
  take(entry: TarEntry): void {
    this.#size += entry.size;
    this.#metadata += entry.path.length + entry.linkpath.length + (entry.segments?.length ?? 0) * 16;
    for (const [name, value] of entry.xattrs) this.#metadata += name.length + value.length;
    if (++this.#entries > this.#limits.maxEntries) {
      throw limit(entry, `more than ${this.#limits.maxEntries} entries`, '--max-entries');
    }
    if (this.#size > this.#limits.maxSize) {
      throw limit(entry, `files of more than ${this.#limits.maxSize} bytes together`, '--max-size');
    }
    if (this.#metadata > MAX_METADATA) {
      throw limit(entry, `names and xattrs of more than ${MAX_METADATA} bytes`);
    }
  }
}

function limit(entry: TarEntry, what: string, option?: string): FlattenError {
  const hint = option && `if you trust the image, raise the bound with ${option}`;
  return new FlattenError('LIMIT', what, { path: entry.path, ...(hint && { hint }) });
}
