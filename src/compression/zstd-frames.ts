/** The states of a walk: what the next bytes are. */
type Part = 'magic' | 'skippable' | 'descriptor' | 'header' | 'block' | 'unknown';

const MAGIC = 0xfd2fb528;
const NEEDED = { magic: 4, skippable: 4, descriptor: 1, header: 0, block: 3, unknown: 0 } as const;

/**
 * Goes along zstd data as it comes by and tells how much memory its frames ask for: the window that a decoder has to
 * hold (RFC 8878 3.1.1). What it does not understand is the decoder's to refuse.
 */
export class ZstdFrames {
  /** The largest window so far, in bytes. */
  window = 0;
  #part: Part = 'magic';
  #needed: number = NEEDED.magic;
  #skip = 0;
  #descriptor = 0;
  readonly #held: number[] = [];

  /** Takes the next bytes. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && this.#part !== 'unknown'; ) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, bytes.length - at);
        this.#skip -= skipped;
        at += skipped;
        continue;
      }
      this.#held.push(bytes[at++]!);
      if (this.#held.length === this.#needed) this.#take(this.#held.splice(0));
    }
  }

  #take(bytes: readonly number[]): void {
    if (this.#part === 'magic') this.#magic(littleEndian(bytes));
    else if (this.#part === 'skippable') this.#goOn('magic', littleEndian(bytes));
    else if (this.#part === 'descriptor') this.#describe(bytes[0]!);
    else if (this.#part === 'header') this.#header(bytes);
    else this.#block(littleEndian(bytes));
  }

  #goOn(part: Part, skip = 0, needed: number = NEEDED[part]): void {
    this.#part = part;
    this.#skip = skip;
    this.#needed = needed;
  }

  #magic(magic: number): void {
    if (magic === MAGIC) this.#goOn('descriptor');
    else this.#goOn(magic >>> 4 === 0x184d2a5 ? 'skippable' : 'unknown');
  }

  #describe(descriptor: number): void {
    this.#descriptor = descriptor;
    const { isSingle, dictionary, content } = fields(descriptor);
    this.#goOn('header', 0, (isSingle ? 0 : 1) + dictionary + content);
  }

  #header(bytes: readonly number[]): void {
    const { isSingle, dictionary } = fields(this.#descriptor);
    const [first = 0] = bytes;
    const base = 2 ** (10 + (first >> 3));
    const size = isSingle ? contentSize(bytes.slice(dictionary)) : base + (base / 8) * (first & 7);
    this.window = Math.max(this.window, size);
    this.#goOn('block');
  }

  #block(header: number): void {
    const [isLast, type, size] = [header & 1, (header >> 1) & 3, header >> 3];
    const hasChecksum = (this.#descriptor & 4) !== 0;
    const body = type === 1 ? 1 : size; // a block of one byte over and over
    if (isLast) this.#goOn('magic', body + (hasChecksum ? 4 : 0));
    else this.#goOn('block', body);
  }
}

/** What a frame's descriptor says of the bytes behind it. */
function fields(descriptor: number) {
  const isSingle = (descriptor & 0x20) !== 0;
  return {
    isSingle,
    dictionary: [0, 1, 2, 4][descriptor & 3]!,
    content: [isSingle ? 1 : 0, 2, 4, 8][descriptor >> 6]!,
  };
}

/** A size of two bytes begins at 256. */
function contentSize(bytes: readonly number[]): number {
  return littleEndian(bytes) + (bytes.length === 2 ? 256 : 0);
}

function littleEndian(bytes: readonly number[]): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0);
}
