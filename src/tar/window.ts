import { FlattenError } from '../errors.js';

/** Where an archive is read from: an uncompressed tar of known size. */
export interface TarSource {
  readonly size: number;
  /** Where the archive begins in the file that entries' offsets are to count from. Default 0. */
  readonly origin?: number;
  /** Reads at most `target.length` bytes at `position` and returns how many; 0 only at the end. */
  read(target: Uint8Array, position: number): number;
}

/** A stretch of the archive in memory, moved on as the scan goes. */
export class Window {
  /** Of the archive. */
  readonly size: number;
  readonly origin: number;
  readonly #source: TarSource;
  readonly #usual: number;
  #bytes: Buffer;
  #words: Int32Array;
  #start = 0;
  #filled = 0;

  constructor(source: TarSource, size: number) {
    this.#source = source;
    this.#usual = size;
    this.size = source.size;
    this.origin = source.origin ?? 0;
    [this.#bytes, this.#words] = memory(size);
  }

  /** What is in memory now: read it where {@link locate} says, before the next call. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The same memory, four bytes at a time. */
  get words(): Int32Array {
    return this.#words;
  }

  /** Brings `length` bytes from `position` on into memory: where they begin in `bytes`, or -1 where the archive ends before. */
  locate(position: number, length: number): number {
    const end = position + length;
    if (end > this.size) return -1;
    if (position < this.#start || end > this.#start + this.#filled) this.#fill(position, length);
    return position - this.#start;
  }

  /** Up to `length` bytes at `position`, fewer only at the end; a view that the next call may overwrite. */
  at(position: number, length: number): Buffer {
    const there = Math.max(0, Math.min(length, this.size - position));
    const at = there === 0 ? 0 : this.locate(position, there);
    return this.#bytes.subarray(at, at + there);
  }

  #fill(position: number, needed: number): void {
    if (needed > this.#bytes.length) [this.#bytes, this.#words] = memory(needed);
    this.#start = position;
    this.#filled = 0;
    const wanted = Math.max(needed, this.#usual); // not all there is room for, since a long header came by
    while (this.#filled < needed) {
      const target = this.#bytes.subarray(this.#filled, wanted);
      const read = this.#source.read(target, position + this.#filled);
      if (read === 0) throw new FlattenError('BAD_LAYER', 'the archive became shorter while it was read');
      this.#filled += read;
    }
  }
}

function memory(size: number): [Buffer, Int32Array] {
  const words = new Int32Array(Math.ceil(size / 4));
  return [Buffer.from(words.buffer), words];
}
