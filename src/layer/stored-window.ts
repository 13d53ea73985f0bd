import { readSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import type { LayerFile } from '../rootfs/node.js';
import type { ContentReader } from './content.js';

/** A window on stored bytes: small neighbours of a layer file, asked for one after the other, cost one read together. */
export class StoredWindow {
  readonly size: number;
  readonly #reader: ContentReader;
  readonly #bytes: Buffer;
  #layer: LayerFile | undefined;
  #start = 0;
  #length = 0;

  /** The window has `size` bytes; `reader` opens the layer files, and stays the caller's. */
  constructor(reader: ContentReader, size: number) {
    this.size = size;
    this.#reader = reader;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Whether {@link view} would not have to read. */
  holds(layer: LayerFile, position: number, length: number): boolean {
    const from = position - this.#start;
    return layer === this.#layer && from >= 0 && from + length <= this.#length;
  }

  /**
   * `length` bytes, at most `size`, of the layer file from `position`; good until the next call. Where they have to be read,
   * so are those behind them, up to `most` bytes in all as far as the file has them.
   */
  view(layer: LayerFile, position: number, length: number, most = this.size): Buffer {
    if (!this.holds(layer, position, length)) this.#load(layer, position, length, most);
    const from = position - this.#start;
    return this.#bytes.subarray(from, from + length);
  }

  #load(layer: LayerFile, position: number, least: number, most: number): void {
    const fd = this.#reader.fd(layer);
    this.#layer = layer;
    this.#start = position;
    this.#length = 0;
    while (this.#length < least) {
      const room = most - this.#length;
      const read = readSync(fd, this.#bytes, this.#length, room, position + this.#length);
      if (read === 0) throw new FlattenError('IO', 'the layer file became shorter while it was read');
      this.#length += read;
    }
  }
}
