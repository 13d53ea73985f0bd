import { FlattenError } from '../errors.js';
import { sizeText } from '../size-text.js';
import type { TarEntry } from './entry.js';
import { BLOCK } from './header.js';
import { TarScan } from './scan.js';

const NONE = Buffer.alloc(0);

/** Thrown where the archive has not grown so far yet. */
const MORE = new Error('more of the archive is needed');

/** Reads what is there of an archive: at most `target.length` bytes at `position`; gives how many. */
export type Grown = (target: Uint8Array, position: number) => number;

/**
 * Bytes of a body that is too long that are waited for: most such headers lie, and the archive ends before. To say that,
 * which is the truer error, is left to the scan of the whole.
 */
const PATIENCE = 64 * 2 ** 20;

/** What {@link HeaderWalk} heeds. */
export interface WalkOptions {
  /** How many bytes the archive may have. */
  readonly most: number;
  /** Told how many members it has come past with each call. What it throws ends the walk. */
  readonly onMembers: (count: number) => void;
  /** Told of each member before that with something unusual to it: long names, xattrs, a sparse map. */
  readonly onUnusual: (entry: TarEntry) => void;
}

/**
 * Goes through the headers of an archive while it grows, by the rules of {@link TarScan}: so what is no tar, or says it is
 * larger than it may be, is known before all of it is there.
 */
export class HeaderWalk {
  readonly #scan: TarScan;
  readonly #options: WalkOptions;
  #read: Grown = () => 0;
  #grown = 0;
  #ended = false;
  #tooLong: { readonly path: string; readonly from: number } | undefined;

  constructor(options: WalkOptions) {
    this.#options = options;
    const read = (target: Uint8Array, position: number) => {
      const length = Math.min(target.length, this.#grown - position);
      if (length <= 0) throw MORE;
      return this.#read(target.subarray(0, length), position);
    };
    // Whether it is a root filesystem, which may be a backup, is known to who reads it next.
    const source = { read, size: Number.POSITIVE_INFINITY };
    this.#scan = new TarScan(source, { window: BLOCK, onBackup: () => {} });
  }

  /**
   * Goes on, now that there are `grown` bytes, which `read` reads; `last` are the last of them, where they are at hand.
   * Throws what the scan throws (`BAD_LAYER`, `LIMIT`), and `LIMIT` for a member that goes beyond what the archive may have.
   */
  advance(grown: number, read: Grown, last: Buffer = NONE): void {
    this.#grown = grown;
    this.#read = read;
    if (this.#tooLong !== undefined && grown > this.#tooLong.from + PATIENCE)
      throw this.#beyond(this.#tooLong);
    let members = 0;
    try {
      while (!this.#ended && this.#scan.position + BLOCK <= grown) {
        members += this.#skip(last, grown - last.length);
        if (this.#scan.position + BLOCK <= grown && this.#step()) members++;
      }
    } catch (error) {
      if (error !== MORE) throw error;
    }
    this.#options.onMembers(members);
  }

  #skip(bytes: Buffer, start: number): number {
    const shift = -bytes.byteOffset & 3; // to where the memory can be read four bytes at a time
    if ((start + shift) % 4 !== 0 || bytes.length < BLOCK + shift) return 0;
    const aligned = bytes.subarray(shift);
    const words = new Int32Array(aligned.buffer, bytes.byteOffset + shift, aligned.length >> 2);
    return this.#scan.skipUsual(aligned, words, start + shift, this.#options.most);
  }

  /** Whether there was another member. */
  #step(): boolean {
    const from = this.#scan.position;
    const entry = this.#scan.next();
    this.#ended = entry === undefined;
    if (entry === undefined) return false;
    this.#options.onUnusual(entry);
    if (this.#scan.position > this.#options.most) this.#tooLong = { path: entry.path.slice(0, 200), from };
    return true;
  }

  #beyond({ path }: { readonly path: string }): FlattenError {
    const what = `a body that goes beyond the ${sizeText(this.#options.most)} that may be unpacked`;
    const hint = 'if you trust the image, say how much it may take, as {maxSize: 64G}';
    return new FlattenError('LIMIT', what, { path, hint });
  }
}
