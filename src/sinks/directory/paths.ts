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

/** Makes host paths, as bytes, from a directory's number and a name. */
export class Paths {
  readonly #table: DirectoryTable;
  readonly #bytes = Buffer.alloc(PATH_MAX + 1 + NAME_MAX + 1);
  readonly #rootEnd: number;
  #directory = -1;
  #directoryEnd = 0;
  #end = 0;

  /** `root` is the host path of directory 0, without a trailing slash. */
  constructor(root: string, table: DirectoryTable) {
    this.#table = table;
    this.#rootEnd = this.#bytes.write(root);
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
    return this.#bytes.toString('latin1', this.#rootEnd + 1, Math.max(this.#end, this.#rootEnd + 1));
  }

  #enter(directory: number): void {
    if (directory === this.#directory) return;
    const { parents, ends, names } = this.#table;
    const chain: number[] = [];
    for (let each = directory; each !== 0; each = parents[each]!) chain.push(each);
    this.#directoryEnd = this.#rootEnd;
    for (let i = chain.length - 1; i >= 0; i--) {
      const each = chain[i]!;
      this.#append(names, ends[each - 1]!, ends[each]!);
      this.#directoryEnd = this.#end;
    }
    this.#directory = directory;
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
