import { chmod, mkdir, open, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { toDescriptor } from '../archive/writer.js';
import type { BlobBegun, Store } from './store.js';

/** An image as files below an existing directory. */
export class DirectoryStore implements Store {
  readonly #root: string;
  #blobs = 0;
  #bytes = 0;

  constructor(root: string) {
    this.#root = root;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async begin(): Promise<BlobBegun> {
    const unnamed = join(this.#root, `.blob-${this.#blobs++}`);
    const file = await open(unnamed, 'wx', 0o666);
    const put = toDescriptor(file.fd);
    let size = 0;
    return {
      write: async (bytes) => {
        await put(bytes);
        size += bytes.length;
      },
      end: async () => {
        await file.close();
        return { size, name: (path) => this.#name(unnamed, path, size) };
      },
      [Symbol.asyncDispose]: () => file.close(),
    };
  }

  async file(path: string, bytes: Buffer): Promise<void> {
    await writeFile(await this.#placeOf(path), bytes);
    this.#bytes += bytes.length;
  }

  /** The directory was made for nobody else to look into; now it is as readable as what is in it. */
  async finish(): Promise<void> {
    const { mode } = await stat(join(this.#root, 'blobs'));
    await chmod(this.#root, mode & 0o777);
  }

  async #name(unnamed: string, path: string, size: number): Promise<void> {
    const isNew = (await stat(join(this.#root, path)).catch(() => undefined)) === undefined;
    await rename(unnamed, await this.#placeOf(path));
    if (isNew) this.#bytes += size;
  }

  async #placeOf(path: string): Promise<string> {
    const place = join(this.#root, path);
    await mkdir(dirname(place), { recursive: true });
    return place;
  }
}
