import { writeAt } from './positioned.js';

const CAPACITY = 256 * 1024;

/** Gathers small writes that follow one another into large ones. */
export class GatheringWriter {
  readonly #fd: number;
  readonly #bytes = Buffer.allocUnsafeSlow(CAPACITY);
  #start = 0;
  #length = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Zeroed bytes to fill in, which will lie at `position`; good until the next call. */
  at(position: number, length: number): Buffer {
    if (position !== this.#start + this.#length || this.#length + length > CAPACITY) {
      this.flush();
      this.#start = position;
    }
    const slot = this.#bytes.subarray(this.#length, this.#length + length).fill(0);
    this.#length += length;
    return slot;
  }

  flush(): void {
    writeAt(this.#fd, this.#bytes.subarray(0, this.#length), this.#start);
    this.#start += this.#length;
    this.#length = 0;
  }
}
