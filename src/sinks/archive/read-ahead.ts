import type { ContentReader } from '../../layer/content.js';
import { StoredWindow } from '../../layer/stored-window.js';
import type { Content, LayerFile } from '../../rootfs/node.js';

/** Files up to this size are read with their neighbours: larger ones cost more to copy twice than to read alone. */
const SMALL = 4 * 1024;
/** How far behind the last read a file may lie and still count as a neighbour: headers and markers lie between. */
const GAP = 8 * 1024;
const WINDOW = 64 * 1024;

/** A layer file's window, and where the last read from the file ended. */
interface Behind {
  window: StoredWindow | undefined;
  last: number;
}

/**
 * Reads content; small files that lie one behind the other in a layer file are read many at a time. Layers are
 * told apart, since their files take turns in the merged tree.
 */
export class ReadAhead {
  readonly #reader: ContentReader;
  readonly #layers = new Map<LayerFile, Behind>();

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
    const behind = this.#behind(layer);
    const { length } = target;
    const isNeighbour = position >= behind.last && position - behind.last <= GAP;
    behind.last = position + length;
    if (isNeighbour && length <= SMALL) behind.window ??= new StoredWindow(this.#reader, WINDOW);
    const { window } = behind;
    if (window?.holds(layer, position, length) || (isNeighbour && length <= SMALL)) {
      window!.view(layer, position, length).copy(target);
    } else this.#reader.readStored(layer, position, target);
  }

  #behind(layer: LayerFile): Behind {
    let behind = this.#layers.get(layer);
    if (behind === undefined) {
      behind = { window: undefined, last: 0 };
      this.#layers.set(layer, behind);
    }
    return behind;
  }
}
