import { segmentsOf } from '../../layer/content.js';
import type { Content, LayerFile } from '../../rootfs/node.js';
import type { Extent } from '../structures/extent.js';
import { BLOCK } from '../structures/features.js';

const FIRST_CAPACITY = 4096;

/** Bytes to copy from layer files into the image, in the order in which they were added; compact, since there is one for each file. */
export class CopyList {
  readonly layers: LayerFile[] = [];
  #layer = new Uint32Array(FIRST_CAPACITY);
  #source = new Float64Array(FIRST_CAPACITY);
  #target = new Float64Array(FIRST_CAPACITY);
  #length = new Float64Array(FIRST_CAPACITY);
  #known = new Map<LayerFile, number>();
  /** Copies in the list. */
  count = 0;
  /** Bytes in the list. */
  bytes = 0;

  /** Adds what `content` stores in the blocks of `extents`, which rise. */
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
        this.#add(content.layer, source + from - start, physical * BLOCK + from - logical * BLOCK, to - from);
      }
      source += length;
    }
  }

  layerAt(i: number): LayerFile {
    return this.layers[this.#layer[i]!]!;
  }
  sourceAt(i: number): number {
    return this.#source[i]!;
  }
  targetAt(i: number): number {
    return this.#target[i]!;
  }
  lengthAt(i: number): number {
    return this.#length[i]!;
  }

  #add(layer: LayerFile, source: number, target: number, length: number): void {
    if (this.count === this.#source.length) this.#grow();
    this.#layer[this.count] = this.#indexOf(layer);
    this.#source[this.count] = source;
    this.#target[this.count] = target;
    this.#length[this.count] = length;
    this.count++;
    this.bytes += length;
  }

  #indexOf(layer: LayerFile): number {
    let index = this.#known.get(layer);
    if (index === undefined) {
      index = this.layers.push(layer) - 1;
      this.#known.set(layer, index);
    }
    return index;
  }

  #grow(): void {
    const larger = <T extends Uint32Array | Float64Array>(old: T, made: T) => {
      made.set(old);
      return made;
    };
    const capacity = this.count * 2;
    this.#layer = larger(this.#layer, new Uint32Array(capacity));
    this.#source = larger(this.#source, new Float64Array(capacity));
    this.#target = larger(this.#target, new Float64Array(capacity));
    this.#length = larger(this.#length, new Float64Array(capacity));
  }
}

function endOf({ logical, count }: Extent): number {
  return (logical + count) * BLOCK;
}
