import { closeSync, ftruncateSync, write } from 'node:fs';
import { promisify } from 'node:util';
import { chunksOf, writeAll } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';

const writing = promisify(write);

/**
 * The file that a blob arrives in. It begins as a file of the cache; where the cache takes no more bytes, as on a full disk, it becomes an
 * unlinked temporary file, with what has arrived, and nothing is lost.
 */
export class Landing {
  #fd: number;
  readonly #tmp: string;
  readonly #onLeave: (fd: number) => void;
  #length = 0;
  /** Why the cache's file was left. */
  #trouble: Error | undefined;

  /** `onLeave` is given the cache's file when it is left: what fills the disk is not worth keeping. */
  constructor(fd: number, tmp: string, length: number, onLeave: (fd: number) => void = () => {}) {
    this.#onLeave = onLeave;
    this.#fd = fd;
    this.#tmp = tmp;
    this.#length = length;
  }

  /** The open file; it changes when the cache is left. */
  get fd(): number {
    return this.#fd;
  }

  /** Bytes that have arrived. */
  get length(): number {
    return this.#length;
  }

  get trouble(): Error | undefined {
    return this.#trouble;
  }

  async add(chunk: Uint8Array): Promise<void> {
    try {
      await this.#put(chunk);
    } catch (error) {
      if (this.#trouble) throw error;
      this.#trouble = error as Error;
      this.#leave();
      await this.#put(chunk);
    }
    this.#length += chunk.length;
  }

  /** Begins again with nothing. */
  clear(): void {
    ftruncateSync(this.#fd, 0);
    this.#length = 0;
  }

  close(): void {
    closeSync(this.#fd);
  }

  async #put(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.length; ) {
      const { bytesWritten } = await writing(this.#fd, chunk, done, chunk.length - done, this.#length + done);
      done += bytesWritten;
    }
  }

  #leave(): void {
    const fd = unlinkedFile(this.#tmp);
    try {
      let position = 0;
      for (const chunk of chunksOf(
        { fd: this.#fd, offset: 0, length: this.#length },
        Buffer.alloc(1 << 20),
      )) {
        writeAll(fd, chunk, position);
        position += chunk.length;
      }
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    this.#onLeave(this.#fd);
    closeSync(this.#fd);
    this.#fd = fd;
  }
}
