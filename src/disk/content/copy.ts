import type { ContentReader } from '../../layer/content.js';
import type { StoredWindow } from '../../layer/stored-window.js';
import { BLOCK } from '../block.js';
import { writeAt } from '../positioned.js';
import type { ContentRows } from './rows.js';

const CAPACITY = 2 ** 20;
/** From this many bytes on, a read of its own costs less than a copy out of the window. */
const DIRECT_READ = 64 * 1024;

/**
 * Copies rows `from` to `to` into the image: whole blocks at a time, in writes as large as neighbouring targets
 * allow. What no row fills of a block is zeros. Yields the bytes of content in each write.
 */
export function* copyRows(
  rows: ContentRows,
  from: number,
  to: number,
  window: StoredWindow,
  { reader, output }: { readonly reader: ContentReader; readonly output: BlockWindow },
): Generator<number> {
  let bytes = 0;
  for (let row = from; row < to; row++) {
    const layer = rows.layers[rows.layer[row]!]!;
    const source = rows.source[row]!;
    const target = rows.target[row]!;
    const size = rows.size[row]!;
    for (let done = 0; done < size; ) {
      if (!output.takes(target + done)) {
        output.flush();
        yield bytes;
        bytes = 0;
      }
      const room = output.room(target + done, size - done);
      if (room.length >= DIRECT_READ) reader.readStored(layer, source + done, room);
      else window.view(layer, source + done, room.length).copy(room);
      done += room.length;
      bytes += room.length;
    }
  }
  output.flush();
  yield bytes;
}

/** Whole blocks that follow one another, gathered for one write. What is not filled in is zeros. */
export class BlockWindow {
  readonly #fd: number;
  readonly #bytes = Buffer.allocUnsafeSlow(CAPACITY);
  #start = 0;
  #end = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Whether a byte at `position` can be added without a write before. */
  takes(position: number): boolean {
    if (this.#end === this.#start) return true;
    return floor(position) <= ceil(this.#end) && position < this.#start + CAPACITY;
  }

  /** Where to put bytes that lie at `position`: `length` of them, or as many as fit. */
  room(position: number, length: number): Buffer {
    if (this.#end === this.#start) {
      this.#start = floor(position);
      this.#end = this.#start;
    }
    const from = position - this.#start;
    this.#bytes.fill(0, this.#end - this.#start, from);
    const to = Math.min(from + length, CAPACITY);
    this.#end = this.#start + to;
    return this.#bytes.subarray(from, to);
  }

  flush(): void {
    const length = this.#end - this.#start;
    const whole = ceil(length);
    writeAt(this.#fd, this.#bytes.fill(0, length, whole).subarray(0, whole), this.#start);
    this.#start = this.#end;
  }
}

const floor = (position: number) => Math.floor(position / BLOCK) * BLOCK;
const ceil = (position: number) => Math.ceil(position / BLOCK) * BLOCK;
