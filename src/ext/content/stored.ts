import { readSync } from 'node:fs';
import { FlattenError } from '../../errors.js';
import type { ContentReader } from '../../layer/content.js';
import type { LayerFile } from '../../rootfs/node.js';

/**
 * A window on stored bytes that moves forward: small neighbours of a layer file cost one read together. Large enough to
 * read well, small enough to stay in the processor's cache.
 */
export class StoredWindow {
  static readonly SIZE = 256 * 1024;
  readonly #reader: ContentReader;
  readonly #bytes = Buffer.allocUnsafeSlow(StoredWindow.SIZE);
  #layer: LayerFile | undefined;
  #start = 0;
  #length = 0;

  constructor(reader: ContentReader) {
    this.#reader = reader;
  }

  /** `length` bytes, at most {@link SIZE}, of the layer file from `position`; good until the next call. */
  view(layer: LayerFile, position: number, length: number): Buffer {
    let from = position - this.#start;
    if (layer !== this.#layer || from < 0 || from + length > this.#length) {
      this.#load(layer, position, length);
      from = 0;
    }
    return this.#bytes.subarray(from, from + length);
  }

  #load(layer: LayerFile, position: number, least: number): void {
    const fd = this.#reader.fd(layer);
    this.#layer = layer;
    this.#start = position;
    this.#length = 0;
    while (this.#length < least) {
      const room = StoredWindow.SIZE - this.#length;
      const read = readSync(fd, this.#bytes, this.#length, room, position + this.#length);
      if (read === 0) throw new FlattenError('IO', 'the layer file became shorter while it was read');
      this.#length += read;
    }
  }
}
