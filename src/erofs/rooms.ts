import { BLOCK } from '../disk/block.js';
import { SLOT } from './format.js';

const SLOTS = BLOCK / SLOT;

/**
 * Where inodes go, one after another: each into the block with the least room that is enough, which takes hardly more
 * space than the bytes themselves. What fits no block gets blocks of its own, and leaves the rest of the last.
 */
export class Rooms {
  /** Blocks with room, by how many slots are free in each: the free ones are at its end. */
  readonly #free: number[][] = Array.from({ length: SLOTS + 1 }, () => []);
  #blocks: number;

  /** So many bytes at the start are taken. */
  constructor(taken: number) {
    this.#blocks = Math.ceil(taken / BLOCK);
    this.#keep(this.#blocks - 1, Math.floor((this.#blocks * BLOCK - taken) / SLOT));
  }

  /** Blocks in use. */
  get blocks(): number {
    return this.#blocks;
  }

  /** The position, in bytes, of so many bytes; they do not cross the end of a block unless they are more than one. */
  take(bytes: number): number {
    const slots = Math.ceil(bytes / SLOT);
    for (let free = slots; free <= SLOTS; free++) {
      const block = this.#free[free]!.pop();
      if (block === undefined) continue;
      this.#keep(block, free - slots);
      return (block + 1) * BLOCK - free * SLOT;
    }
    const first = this.#blocks;
    this.#blocks += Math.ceil(bytes / BLOCK);
    this.#keep(this.#blocks - 1, (this.#blocks - first) * SLOTS - slots);
    return first * BLOCK;
  }

  #keep(block: number, slots: number): void {
    if (slots > 0) this.#free[slots]!.push(block);
  }
}
