import { Anchor } from './anchor.js';

/** Linux's bounds, in bytes. */
export const NAME_MAX = 255;
export const PATH_MAX = 4095;

/**
 * The directories of a tree, packed so that threads share them: directory 0 is the root, each has a lower number than
 * what lies in it. The name of directory `i` is `names` from `ends[i - 1]` (0 for the root) to `ends[i]`.
 */
export interface DirectoryTable {
  readonly parents: Uint32Array;
  readonly ends: Uint32Array;
  readonly names: Uint8Array;
}

/** Directories between an anchor and what first asks for it. Nearly all images are less deep. */
const STEP = 32;

/**
 * Makes host paths, as bytes, from a directory's number and a name. With `isAnchored` they may go by way of a directory that is
 * held open: they are for this process, and good until the next call only; {@link close} lets go of it.
 */
export class Paths {
  readonly #table: DirectoryTable;
  readonly #bytes = Buffer.alloc(PATH_MAX + 1 + NAME_MAX + 1);
  readonly #root: string;
  readonly #anchor: Anchor | undefined;
  /** What becomes the anchor once a second path leads through it. */
  #near = 0;
  #directory = -1;
  #directoryEnd = 0;
  #end = 0;

  /** `root` is the host path of directory 0, without a trailing slash. */
  constructor(root: string, table: DirectoryTable, { isAnchored = false } = {}) {
    this.#table = table;
    this.#root = root;
    if (isAnchored) this.#anchor = new Anchor(root);
  }

  close(): void {
    this.#anchor?.close();
    this.#directory = -1;
  }

  /** Good until the next call. */
  ofDirectory(directory: number): Buffer {
    this.#enter(directory);
    this.#end = this.#directoryEnd;
    return this.#bytes.subarray(0, this.#end);
  }

  /** `name` is latin1. Good until the next call. */
  of(directory: number, name: string): Buffer {
    this.#enter(directory);
    const start = this.#slash();
    this.#end = start + this.#bytes.write(name, start, 'latin1');
    return this.#bytes.subarray(0, this.#end);
  }

  /** The name is `names` from `start` to `end`. Good until the next call. */
  ofBytes(directory: number, names: Uint8Array, start: number, end: number): Buffer {
    this.#enter(directory);
    this.#append(names, start, end);
    return this.#bytes.subarray(0, this.#end);
  }

  /** The last path as it is inside the image: latin1, from the root, `''` for the root. */
  inImage(): string {
    const { ends, names } = this.#table;
    const chain = Math.max(this.#directory, 0) === 0 ? [] : this.#chain(this.#directory, 0);
    const parts = chain.reverse().map((each) => latin1(names, ends[each - 1]!, ends[each]!));
    if (this.#end > this.#directoryEnd) parts.push(latin1(this.#bytes, this.#directoryEnd + 1, this.#end));
    return parts.join('/');
  }

  #enter(directory: number): void {
    // The second path in a deep directory is worth an anchor, as is one in a directory near it.
    if (directory === this.#directory && this.#near === 0) return;
    const top = this.#anchor ? this.#topFor(directory, this.#anchor) : 0;
    this.#fill(top, this.#chain(directory, top));
    this.#directory = directory;
  }

  /** Where the path of a directory is to start: at the anchor where that is above it, else at the root. Moves the anchor near. */
  #topFor(directory: number, anchor: Anchor): number {
    const { parents } = this.#table;
    let steps = 0;
    let near = 0;
    for (let each = directory; each !== 0; ) {
      each = parents[each]!;
      steps++;
      if (steps === STEP) near = each;
      if (each !== 0 && each === anchor.directory) {
        if (steps > 2 * STEP) this.#near = near;
        return each;
      }
      if (each === 0 || each !== this.#near) continue;
      this.#fill(0, this.#chain(each, 0));
      anchor.moveTo(each, this.#bytes.subarray(0, this.#directoryEnd));
      this.#near = 0;
      return anchor.directory;
    }
    if (steps > 2 * STEP) this.#near = near;
    return 0;
  }

  /** A directory and what is above it, up to `top` and without it, the deepest first. */
  #chain(directory: number, top: number): number[] {
    const chain: number[] = [];
    for (let each = directory; each !== top; each = this.#table.parents[each]!) chain.push(each);
    return chain;
  }

  /** Puts the path of a chain's first directory together. */
  #fill(top: number, chain: readonly number[]): void {
    const { ends, names } = this.#table;
    this.#directoryEnd = this.#bytes.write(top === 0 ? this.#root : this.#anchor!.path);
    for (let i = chain.length - 1; i >= 0; i--) {
      const each = chain[i]!;
      this.#append(names, ends[each - 1]!, ends[each]!);
      this.#directoryEnd = this.#end;
    }
  }

  #append(names: Uint8Array, start: number, end: number): void {
    let at = this.#slash();
    for (let i = start; i < end; i++) this.#bytes[at++] = names[i]!;
    this.#end = at;
  }

  #slash(): number {
    this.#bytes[this.#directoryEnd] = 0x2f;
    return this.#directoryEnd + 1;
  }
}

function latin1(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
