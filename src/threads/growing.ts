import { readSync } from 'node:fs';

/** Where a {@link GrowingFile} stands, for another thread to follow. */
export type SharedGrowth = SharedArrayBuffer;

/** A file that one thread appends to while another one reads behind it. */
export class GrowingFile {
  readonly shared: SharedGrowth;
  /** The bytes there are, and whether that is all. */
  readonly #length: BigInt64Array;
  readonly #state: Int32Array;

  constructor(shared: SharedGrowth = new SharedArrayBuffer(16)) {
    this.shared = shared;
    this.#length = new BigInt64Array(shared, 0, 1);
    this.#state = new Int32Array(shared, 8, 2);
  }

  get length(): number {
    return Number(Atomics.load(this.#length, 0));
  }

  /** Says that there are `bytes` more. */
  grow(bytes: number): void {
    Atomics.add(this.#length, 0, BigInt(bytes));
    this.#tell();
  }

  /** Says that no more come. */
  end(): void {
    Atomics.store(this.#state, 1, 1);
    this.#tell();
  }

  #tell(): void {
    Atomics.add(this.#state, 0, 1);
    Atomics.notify(this.#state, 0);
  }

  /** Yields the bytes as they come, in runs of at most `buffer`'s size, and blocks this thread meanwhile: not for the main one. */
  *chunks(fd: number, buffer: Buffer): Generator<Buffer> {
    for (let position = 0; ; ) {
      const turn = Atomics.load(this.#state, 0);
      const isWhole = Atomics.load(this.#state, 1) === 1;
      if (position < this.length) {
        const read = readSync(fd, buffer, 0, Math.min(buffer.length, this.length - position), position);
        position += read;
        yield buffer.subarray(0, read);
      } else if (isWhole) return;
      else Atomics.wait(this.#state, 0, turn);
    }
  }
}
