import { hash } from 'node:crypto';
import { VERITY_BLOCK } from './levels.js';

const ZEROS = Buffer.alloc(VERITY_BLOCK);

/** The digest of one block after another, the salt in front of each. Zeros are hashed once. */
export class BlockHasher {
  readonly #input: Buffer;
  readonly #block: Buffer;
  #ofZeros: Buffer | undefined;

  constructor(salt: Uint8Array) {
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
