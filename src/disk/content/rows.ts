import { segmentsOf } from '../../layer/content.js';
import type { Content, LayerFile } from '../../rootfs/node.js';
import { sharedUint32 } from '../../threads/shared.js';
import { BLOCK, type Extent } from '../block.js';

/** Longer runs of bytes are cut, so that threads can share them. A multiple of the block. */
const LONGEST_ROW = 4 * 2 ** 20;
/** What threads take at a time: so many bytes, a row counting for some on top of its own. */
const CHUNK = 8 * 2 ** 20;
const ROW_COST = 16 * 1024;
const FIRST_CAPACITY = 4096;

/**
 * Runs of stored bytes and where each belongs, a column for each property, shared by all threads. Targets rise, but
 * that runs of one block may lie in it in any way.
 */
export interface ContentRows {
  readonly length: number;
  readonly bytes: number;
  readonly layers: readonly LayerFile[];
  /** An index of `layers`. */
  readonly layer: Uint32Array;
  /** Where the bytes lie in the layer file. */
  readonly source: Float64Array;
  readonly target: Float64Array;
  readonly size: Float64Array;
  /** Chunk `i` is the rows from `chunks[i]` to `chunks[i + 1]`. No block has bytes of two chunks. */
  readonly chunks: Uint32Array;
}

/** Gathers rows. */
export class RowBuilder {
  readonly #layers = new Map<LayerFile, number>();
  readonly #chunks = [0];
  #layer = new Uint32Array(FIRST_CAPACITY);
  #source = new Float64Array(FIRST_CAPACITY);
  #target = new Float64Array(FIRST_CAPACITY);
  #size = new Float64Array(FIRST_CAPACITY);
  #length = 0;
  #bytes = 0;
  #inChunk = 0;

  /** Adds what `content` stores in the blocks of `extents`, which rise; `physical` says where those belong. */
  addFile(content: Content, extents: readonly Extent[]): void {
    let source = content.offset;
    let next = 0;
    for (const { start, length, at } of segmentsOf(content)) {
      source = at ?? source;
      const end = start + length;
      while (next < extents.length && endOf(extents[next]!) <= start) next++;
      for (let i = next; i < extents.length && extents[i]!.logical * BLOCK < end; i++) {
        const { logical, physical } = extents[i]!;
        const from = Math.max(start, logical * BLOCK);
        const to = Math.min(end, endOf(extents[i]!));
        const target = physical * BLOCK + from - logical * BLOCK;
        this.#addRun(content.layer, source + from - start, target, to - from);
      }
      source += length;
    }
  }

  /** How many have been added. */
  get length(): number {
    return this.#length;
  }

  finish(): ContentRows {
    const length = this.#length;
    const chunks = sharedUint32(this.#chunks.length + 1);
    chunks.set([...this.#chunks, length]);
    return {
      length,
      bytes: this.#bytes,
      layers: [...this.#layers.keys()],
      layer: shared(this.#layer, length),
      source: shared(this.#source, length),
      target: shared(this.#target, length),
      size: shared(this.#size, length),
      chunks,
    };
  }

  #addRun(layer: LayerFile, source: number, target: number, size: number): void {
    for (let done = 0; done < size; ) {
      const end = Math.floor((target + done + LONGEST_ROW) / BLOCK) * BLOCK;
      const part = Math.min(size - done, end - target - done);
      this.#add(layer, source + done, target + done, part);
      done += part;
    }
  }

  #add(layer: LayerFile, source: number, target: number, size: number): void {
    if (this.#inChunk >= CHUNK && target % BLOCK === 0) {
      this.#chunks.push(this.#length);
      this.#inChunk = 0;
    }
    if (this.#length === this.#layer.length) this.#grow();
    const row = this.#length++;
    this.#layer[row] = this.#indexOf(layer);
    this.#source[row] = source;
    this.#target[row] = target;
    this.#size[row] = size;
    this.#bytes += size;
    this.#inChunk += size + ROW_COST;
  }

  #indexOf(layer: LayerFile): number {
    const known = this.#layers.get(layer);
    if (known !== undefined) return known;
    this.#layers.set(layer, this.#layers.size);
    return this.#layers.size - 1;
  }

  #grow(): void {
    const capacity = this.#length * 2;
    this.#layer = copyInto(new Uint32Array(capacity), this.#layer);
    this.#source = copyInto(new Float64Array(capacity), this.#source);
    this.#target = copyInto(new Float64Array(capacity), this.#target);
    this.#size = copyInto(new Float64Array(capacity), this.#size);
  }
}

type Column = Uint32Array | Float64Array;

function copyInto<T extends Column>(into: T, from: T): T {
  into.set(from);
  return into;
}

function shared<T extends Column>(column: T, length: number): T {
  const make = column.constructor as new (buffer: SharedArrayBuffer) => T;
  const made = new make(new SharedArrayBuffer(length * column.BYTES_PER_ELEMENT));
  return copyInto(made, column.subarray(0, length) as T);
}

function endOf({ logical, count }: Extent): number {
  return (logical + count) * BLOCK;
}
