import { ftruncateSync, write } from 'node:fs';
import { writeAll } from '../../host/bytes.js';
import { padding } from '../../tar/write.js';
import { directoryHeader, END_LENGTH, fileHeader, member } from './envelope.js';
import type { BlobBegun, Store } from './store.js';

const BLOCK = 512;

/**
 * An image archive in an open, empty file. Blobs are written once: room is left for a blob's header, which is filled in
 * when its name and size are known.
 */
export class ArchiveStore implements Store {
  readonly #fd: number;
  readonly #names = new Set<string>();
  #end = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  get bytes(): number {
    return this.#end;
  }

  async directory(name: string): Promise<void> {
    await this.#append(await directoryHeader(name));
  }

  async begin(): Promise<BlobBegun> {
    const start = this.#end;
    await this.#append(Buffer.alloc(BLOCK));
    return {
      write: (bytes) => this.#append(bytes),
      end: async () => {
        const size = this.#end - start - BLOCK;
        await this.#append(Buffer.alloc(padding(size)));
        const end = this.#end;
        return { size, name: (path) => this.#name(path, size, { start, end }) };
      },
      [Symbol.asyncDispose]: async () => {},
    };
  }

  async file(path: string, bytes: Buffer): Promise<void> {
    if (this.#names.has(path)) return;
    this.#names.add(path);
    await this.#append(await member(path, bytes));
  }

  async finish(): Promise<void> {
    await this.#append(Buffer.alloc(END_LENGTH));
    ftruncateSync(this.#fd, this.#end);
  }

  async #name(path: string, size: number, { start, end }: { start: number; end: number }): Promise<void> {
    if (this.#names.has(path)) {
      if (end !== this.#end) throw new Error(`${path} stands twice in the archive, and not at its end`);
      this.#end = start;
      return;
    }
    const header = await fileHeader(path, size);
    if (header.length !== BLOCK) throw new Error(`${path} takes more than one header`);
    this.#names.add(path);
    writeAll(this.#fd, header, start);
  }

  async #append(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const written = await writeSome(this.#fd, bytes.subarray(done), this.#end);
      done += written;
      this.#end += written;
    }
  }
}

function writeSome(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, position, (error, written) =>
      error ? reject(error) : resolve(written),
    );
  });
}
