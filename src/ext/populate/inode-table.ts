import { GatheringWriter } from '../../disk/gathering.js';
import type { Geometry } from '../geometry.js';
import { AT as GROUP } from '../structures/descriptor.js';
import { BLOCK, INODE } from '../structures/features.js';

/** The inode tables of all groups, written from front to back. */
export class InodeTable {
  readonly #writer: GatheringWriter;
  readonly #geometry: Geometry;
  readonly #descriptors: readonly Buffer[];
  #next = 1;

  constructor(fd: number, geometry: Geometry, descriptors: readonly Buffer[]) {
    this.#writer = new GatheringWriter(fd);
    this.#geometry = geometry;
    this.#descriptors = descriptors;
  }

  /** The next inode, zeroed; inode 1 is the first. Good until the next call. */
  next(): Buffer {
    const index = this.#next++ - 1;
    const group = Math.floor(index / this.#geometry.inodesPerGroup);
    const table = this.#descriptors[group]!.readUInt32LE(GROUP.inodeTable) * BLOCK;
    return this.#writer.at(table + (index % this.#geometry.inodesPerGroup) * INODE, INODE);
  }
  flush(): void {
    this.#writer.flush();
  }
}
