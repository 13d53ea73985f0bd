import { hash } from 'node:crypto';
import { writeAt } from '../disk/positioned.js';
import { DIGEST, levelsOf, VERITY_BLOCK } from './levels.js';

const ZEROS = Buffer.alloc(VERITY_BLOCK);

/** The digest of one block after another, the salt in front of each. Zeros are hashed once. */
export class BlockHasher {
  readonly #input: Buffer;
  readonly #block: Buffer;
  #ofZeros: Buffer | undefined;

  constructor(salt: Buffer) {
    this.#input = Buffer.concat([salt, ZEROS]);
    this.#block = this.#input.subarray(salt.length);
  }

  digest(block: Buffer): Buffer {
    if (!block.equals(ZEROS)) return this.#hashed(block);
    this.#ofZeros ??= this.#hashed(block);
    return this.#ofZeros;
  }

  #hashed(block: Buffer): Buffer {
    block.copy(this.#block);
    return hash('sha256', this.#input, 'buffer');
  }
}

/** A level of the tree, whose blocks are written one after another as they fill. */
interface Level {
  readonly position: number;
  readonly block: Buffer;
  used: number;
  written: number;
}

/** Writes a hash tree as its digests come, from the bottom, without holding more than a block of each level. */
export class TreeWriter {
  readonly #fd: number;
  readonly #hasher: BlockHasher;
  /** The bottom first. */
  readonly #levels: readonly Level[];
  #root: Buffer | undefined;

  /** The tree of so many blocks of data begins at `position`, in bytes. */
  constructor(fd: number, position: number, dataBlocks: number, hasher: BlockHasher) {
    this.#fd = fd;
    this.#hasher = hasher;
    let next = position;
    this.#levels = levelsOf(dataBlocks)
      .map((blocks) => {
        const level = { position: next, block: Buffer.alloc(VERITY_BLOCK), used: 0, written: 0 };
        next += blocks * VERITY_BLOCK;
        return level;
      })
      .reverse();
  }

  /** Adds the digest of the next block of data. */
  add(digest: Buffer): void {
    this.#add(0, digest);
  }

  /** Writes what is not full yet; gives the root's digest. */
  finish(): Buffer {
    for (const [index, { used }] of this.#levels.entries()) if (used > 0) this.#write(index);
    return this.#root!;
  }

  #add(index: number, digest: Buffer): void {
    const level = this.#levels[index];
    if (level === undefined) {
      this.#root = Buffer.from(digest);
      return;
    }
    digest.copy(level.block, level.used);
    level.used += DIGEST;
    if (level.used === VERITY_BLOCK) this.#write(index);
  }

  #write(index: number): void {
    const level = this.#levels[index]!;
    level.block.fill(0, level.used);
    writeAt(this.#fd, level.block, level.position + level.written * VERITY_BLOCK);
    level.written++;
    level.used = 0;
    this.#add(index + 1, this.#hasher.digest(level.block));
  }
}
