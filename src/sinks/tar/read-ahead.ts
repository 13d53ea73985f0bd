import { readSync } from 'node:fs';
import type { ContentReader } from '../../layer/content.js';
import type { Content, LayerFile } from '../../rootfs/node.js';

/** Files up to this size are read with their neighbours: larger ones cost more to copy twice than to read alone. */
const SMALL = 4 * 1024;
/** How far behind the last read a file may lie and still count as a neighbour: headers and markers lie between. */
const GAP = 8 * 1024;
const WINDOW = 64 * 1024;

/** The stretch of a layer file that is in memory, and where the last read from it ended. */
interface Window {
  bytes: Buffer | undefined;
  start: number;
  length: number;
  last: number;
}

/**
 * Reads content; small files that lie one behind the other in a layer file are read many at a time. Layers are
 * told apart, since their files take turns in the merged tree.
 */
export class ReadAhead {
  readonly #reader: ContentReader;
  readonly #windows = new Map<LayerFile, Window>();

  constructor(reader: ContentReader) {
    this.#reader = reader;
  }

  /** Fills `target` with the content's bytes from `start` on, holes as zeros. */
  read(content: Content, start: number, target: Buffer): void {
    const { layer, segments } = content;
    if (segments !== undefined || typeof layer.file === 'string') this.#reader.read(content, start, target);
    else this.#readStored(layer, content.offset + start, target);
  }

  #readStored(layer: LayerFile, position: number, target: Buffer): void {
    const window = this.#window(layer);
    const neighbour = position >= window.last && position - window.last <= GAP;
    window.last = position + target.length;
    if (this.#copy(window, position, target)) return;
    if (neighbour && target.length <= SMALL) {
      this.#fill(layer, window, position);
      if (this.#copy(window, position, target)) return;
    }
    this.#reader.readStored(layer, position, target);
  }

  #copy({ bytes, start, length }: Window, position: number, target: Buffer): boolean {
    if (position < start || position + target.length > start + length) return false;
    bytes?.copy(target, 0, position - start);
    return true;
  }

  #fill(layer: LayerFile, window: Window, position: number): void {
    window.bytes ??= Buffer.allocUnsafe(WINDOW);
    window.start = position;
    window.length = readSync(this.#reader.fd(layer), window.bytes, 0, WINDOW, position);
  }

  #window(layer: LayerFile): Window {
    let window = this.#windows.get(layer);
    if (window === undefined) {
      window = { bytes: undefined, start: 0, length: 0, last: 0 };
      this.#windows.set(layer, window);
    }
    return window;
  }
}
