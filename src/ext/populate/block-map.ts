import { DIRECT, POINTERS } from '../map-size.js';
import {
  BLOCK_RECORDS,
  type Extent,
  INODE_RECORDS,
  MAX_EXTENT,
  type TreeBlock,
  writeIndex,
  writeLeaf,
} from '../structures/extent.js';
import { BLOCK, type ExtFormat } from '../structures/features.js';
import { FLAG } from '../structures/inode.js';

/** Writes a block of a map; returns its number. */
export type EmitBlock = (fill: (block: Buffer) => void) => number;

/** Says in an inode where its blocks lie. */
export interface BlockMapper {
  /** What `i_flags` must say of such a map. */
  readonly flags: number;
  /** Fills `map`, the inode's zeroed `i_block`; what does not fit there goes out through `emit`. Returns the blocks emitted. */
  write(map: Buffer, extents: readonly Extent[], emit: EmitBlock): number;
}

export function blockMapper(format: ExtFormat): BlockMapper {
  return format === 'ext4'
    ? { flags: FLAG.extents, write: writeExtents }
    : { flags: 0, write: (map, extents, emit) => new IndirectMap(map, emit).write(extents) };
}

/** Blocks of block numbers, each written when it is full: so they follow one another on the disk. */
class IndirectMap {
  readonly #map: Buffer;
  readonly #emit: EmitBlock;
  #emitted = 0;
  /** The leaf being filled, its number counted over the whole file, and so for the middle block of the triple. */
  #leaf: Buffer | undefined;
  #leafNumber = -1;
  #middle: Buffer | undefined;
  #middleNumber = -1;
  #double: Buffer | undefined;
  #triple: Buffer | undefined;

  constructor(map: Buffer, emit: EmitBlock) {
    this.#map = map;
    this.#emit = emit;
  }

  write(extents: readonly Extent[]): number {
    for (const { logical, physical, count } of extents) {
      for (let i = 0; i < count; i++) this.#set(logical + i, physical + i);
    }
    this.#closeLeaf();
    this.#closeMiddle();
    if (this.#double) this.#map.writeUInt32LE(this.#out(this.#double), (DIRECT + 1) * 4);
    if (this.#triple) this.#map.writeUInt32LE(this.#out(this.#triple), (DIRECT + 2) * 4);
    return this.#emitted;
  }

  #set(logical: number, physical: number): void {
    if (logical < DIRECT) {
      this.#map.writeUInt32LE(physical, logical * 4);
      return;
    }
    const index = logical - DIRECT;
    const number = Math.floor(index / POINTERS);
    if (number !== this.#leafNumber) {
      this.#closeLeaf();
      this.#leafNumber = number;
      this.#leaf = Buffer.alloc(BLOCK);
    }
    this.#leaf!.writeUInt32LE(physical, (index % POINTERS) * 4);
  }

  /** Leaf 0 hangs in the inode, the next 1024 under the double block, the others under the triple's middles. */
  #closeLeaf(): void {
    if (this.#leaf === undefined) return;
    const block = this.#out(this.#leaf);
    this.#leaf = undefined;
    const number = this.#leafNumber - 1;
    if (number < 0) this.#map.writeUInt32LE(block, DIRECT * 4);
    else if (number < POINTERS) {
      this.#double ??= Buffer.alloc(BLOCK);
      this.#double.writeUInt32LE(block, number * 4);
    } else this.#underTriple(number - POINTERS, block);
  }

  #underTriple(leaf: number, block: number): void {
    const number = Math.floor(leaf / POINTERS);
    if (number !== this.#middleNumber) {
      this.#closeMiddle();
      this.#middleNumber = number;
      this.#middle = Buffer.alloc(BLOCK);
    }
    this.#middle!.writeUInt32LE(block, (leaf % POINTERS) * 4);
  }

  #closeMiddle(): void {
    if (this.#middle === undefined) return;
    this.#triple ??= Buffer.alloc(BLOCK);
    this.#triple.writeUInt32LE(this.#out(this.#middle), this.#middleNumber * 4);
    this.#middle = undefined;
  }

  #out(bytes: Buffer): number {
    this.#emitted++;
    return this.#emit((block) => bytes.copy(block));
  }
}

function writeExtents(map: Buffer, found: readonly Extent[], emit: EmitBlock): number {
  const extents = found.flatMap(splitExtent);
  if (extents.length <= INODE_RECORDS) {
    writeLeaf(map, INODE_RECORDS, extents);
    return 0;
  }
  let emitted = 0;
  const level = <T extends { readonly logical: number }>(
    items: readonly T[],
    fill: (block: Buffer, chunk: readonly T[]) => void,
  ): TreeBlock[] =>
    chunks(items).map((chunk) => {
      emitted++;
      return { logical: chunk[0]!.logical, physical: emit((block) => fill(block, chunk)) };
    });
  let nodes = level(extents, (block, chunk) => writeLeaf(block, BLOCK_RECORDS, chunk));
  let depth = 1;
  while (nodes.length > INODE_RECORDS) {
    const at = depth++;
    nodes = level(nodes, (block, chunk) => writeIndex(block, BLOCK_RECORDS, at, chunk));
  }
  writeIndex(map, INODE_RECORDS, depth, nodes);
  return emitted;
}

function splitExtent({ logical, physical, count }: Extent): Extent[] {
  if (count <= MAX_EXTENT) return [{ logical, physical, count }];
  return Array.from({ length: Math.ceil(count / MAX_EXTENT) }, (_, i) => ({
    logical: logical + i * MAX_EXTENT,
    physical: physical + i * MAX_EXTENT,
    count: Math.min(MAX_EXTENT, count - i * MAX_EXTENT),
  }));
}

function chunks<T>(items: readonly T[]): (readonly T[])[] {
  return Array.from({ length: Math.ceil(items.length / BLOCK_RECORDS) }, (_, i) =>
    items.slice(i * BLOCK_RECORDS, (i + 1) * BLOCK_RECORDS),
  );
}
