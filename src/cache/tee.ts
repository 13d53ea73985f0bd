import { closeSync, constants, fstatSync, ftruncateSync, openSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { chunksOf } from '../host/bytes.js';
import type { BlobWanted } from './arrive.js';
import { isNamed, removePart } from './part.js';
import { digestOf, hashFor } from './sums.js';

const writing = promisify(write);
const ARRIVE = constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW;

/** The bytes of an open file, each run its own; the file is closed at the end. */
export async function* closing(fd: number): AsyncGenerator<Uint8Array> {
  try {
    const range = { fd, offset: 0, length: fstatSync(fd).size };
    for (const chunk of chunksOf(range, Buffer.alloc(1 << 20))) yield Buffer.from(chunk);
  } finally {
    closeSync(fd);
  }
}

/** Keeps the bytes that go by in the file of a blob that is not whole, after those that are there. */
export class Tee {
  readonly #path: string;
  readonly #blob: BlobWanted;
  readonly #fd: number;
  readonly #hash;
  #length: number;
  #trouble: Error | undefined;

  constructor(path: string, blob: BlobWanted) {
    this.#path = path;
    this.#blob = blob;
    this.#hash = hashFor(blob.digest);
    this.#fd = openSync(path, ARRIVE, 0o600);
    this.#length = fstatSync(this.#fd).size;
    if (this.#length > (blob.size ?? Infinity)) {
      ftruncateSync(this.#fd, 0);
      this.#length = 0;
    }
  }

  /** Bytes that are there. */
  get length(): number {
    return this.#length;
  }

  /** Whether the file has still its name. */
  get isNamed(): boolean {
    return isNamed(this.#path, this.#fd);
  }

  /** Why nothing more is kept. */
  get trouble(): Error | undefined {
    return this.#trouble;
  }

  /** What was there from the start. */
  *before(): Generator<Uint8Array> {
    for (const chunk of chunksOf({ fd: this.#fd, offset: 0, length: this.#length }, Buffer.alloc(1 << 20))) {
      this.#hash.update(chunk);
      yield Buffer.from(chunk);
    }
  }

  /** Keeps a chunk; false where it is the first that cannot be. */
  async add(chunk: Uint8Array): Promise<boolean> {
    if (this.#trouble) return true;
    this.#hash.update(chunk);
    try {
      for (let done = 0; done < chunk.length; ) {
        const left = chunk.length - done;
        const { bytesWritten } = await writing(this.#fd, chunk, done, left, this.#length + done);
        done += bytesWritten;
      }
    } catch (error) {
      this.#trouble = error as Error;
      removePart(this.#path, this.#fd);
      return false;
    }
    this.#length += chunk.length;
    return true;
  }

  /** Whether all of the blob is there; wrong bytes are not kept. */
  isRight(): boolean {
    if (this.#trouble || this.#length < (this.#blob.size ?? 0)) return false;
    const { digest } = this.#blob;
    if (digestOf(this.#hash, digest) === digest) return true;
    removePart(this.#path, this.#fd);
    return false;
  }

  /** The part stays for the next run. */
  end(): void {
    if (this.#length === 0) removePart(this.#path, this.#fd);
    closeSync(this.#fd);
  }
}
