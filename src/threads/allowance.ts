import { FlattenError } from '../errors.js';
import { countText, sizeText } from '../size-text.js';

/** What a thread needs to draw on an allowance of another one. */
export interface SharedAllowance {
  /** What has been taken, and the most that may be. */
  readonly numbers: SharedArrayBuffer;
  readonly words: AllowanceWords;
}

/** How the error reads when it is used up; `#` stands for the most that may be taken. */
export interface AllowanceWords {
  readonly what: string;
  readonly hint: string;
}

const BYTES: AllowanceWords = {
  what: 'unpacks to more than # bytes',
  hint: 'if you trust the image, raise the bound with {maxSize}',
};

/** Something that all layers of an image may use so much of together, as bytes or entries. Threads draw on it together. */
export class Allowance {
  readonly shared: SharedAllowance;
  readonly #numbers: BigInt64Array;

  constructor(limit: number | SharedAllowance, words = BYTES) {
    const isNew = typeof limit === 'number';
    this.shared = isNew ? { numbers: new SharedArrayBuffer(16), words } : limit;
    this.#numbers = new BigInt64Array(this.shared.numbers);
    if (isNew) this.raise(limit);
  }

  /** The most that may be taken. */
  get limit(): number {
    return Number(Atomics.load(this.#numbers, 1));
  }

  raise(limit: number): void {
    Atomics.store(this.#numbers, 1, BigInt(Math.floor(Math.min(limit, Number.MAX_SAFE_INTEGER))));
  }

  /** Takes `amount`; throws `LIMIT` where that is more than is left. */
  spend(amount: number): void {
    const used = Number(Atomics.add(this.#numbers, 0, BigInt(amount))) + amount;
    const { limit } = this;
    if (used <= limit) return;
    const { what, hint } = this.shared.words;
    throw new FlattenError('LIMIT', what.replace('# bytes', sizeText(limit)).replace('#', countText(limit)), {
      hint,
    });
  }
}
