import { FlattenError } from '../errors.js';

/** What a thread needs to draw on an allowance of another one. */
export interface SharedAllowance {
  readonly limit: number;
  readonly used: SharedArrayBuffer;
}

/** The uncompressed bytes that all layers of one image may come to. Threads draw on it together. */
export class Allowance {
  readonly shared: SharedAllowance;
  readonly #used: BigInt64Array;

  constructor(limit: number | SharedAllowance) {
    this.shared = typeof limit === 'number' ? { limit, used: new SharedArrayBuffer(8) } : limit;
    this.#used = new BigInt64Array(this.shared.used);
  }

  /** Takes `bytes`; throws `LIMIT` where that is more than is left. */
  spend(bytes: number): void {
    const { limit } = this.shared;
    const used = Number(Atomics.add(this.#used, 0, BigInt(bytes))) + bytes;
    if (used > limit) {
      throw new FlattenError('LIMIT', `unpacks to more than ${limit} bytes`, {
        hint: 'if you trust the image, raise the bound with --max-size',
      });
    }
  }
}
