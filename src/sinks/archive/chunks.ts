import { ContentReader } from '../../layer/content.js';
import type { Content, Node, Rootfs } from '../../rootfs/node.js';
import { walk } from '../../rootfs/walk.js';
import { ReadAhead } from './read-ahead.js';

/** A member as it will stand in the archive: its headers, whole multiples of the alignment, and then the parts, `stored` bytes together. */
export interface Encoding {
  readonly header: Buffer;
  readonly parts: readonly { readonly content: Content; readonly start: number; readonly length: number }[];
  readonly stored: number;
  /** Of the file, holes included. */
  readonly size: number;
}

/** How an archive holds a tree. It serves one archive: it may remember what it has seen. */
export interface ArchiveForm {
  /** The member for a name; undefined where it gets none. Asked in the order of the archive. */
  encode(path: string, node: Node): Encoding | undefined;
  /** Bytes to whose multiples a body is padded with zeros; a power of two. */
  readonly alignment: number;
  /** What stands behind the last member. */
  readonly end: Buffer;
}

/** The bytes of a tree's archive, read as they are asked for, in the order of `walk`. */
export class ArchiveChunks {
  readonly #rootfs: Rootfs;
  readonly #form: ArchiveForm;
  readonly #buffers: readonly Buffer[];
  readonly #reader = new ContentReader();
  readonly #ahead = new ReadAhead(this.#reader);
  #turn = 0;
  #used = 0;
  #done = 0;

  /** Chunks are the `buffers` by turns, all of one length: each is good until all others have been yielded. */
  constructor(rootfs: Rootfs, buffers: readonly Buffer[], form: ArchiveForm) {
    this.#rootfs = rootfs;
    this.#form = form;
    this.#buffers = buffers;
  }

  /** Content bytes so far, holes included: what `Rootfs.bytes` is the total of. */
  get done(): number {
    return this.#done;
  }

  /** Full buffers, then the last, shorter one. To be iterated once; closes what it opened. */
  *[Symbol.iterator](): Generator<Buffer> {
    try {
      const form = this.#form;
      for (const { path, node } of walk(this.#rootfs.root)) {
        const member = form.encode(path, node);
        if (member !== undefined && !this.#putWhole(member)) yield* this.#putAcross(member);
      }
      const { end } = form;
      yield* this.#put(end.length, (target, at) => end.copy(target, 0, at));
      yield this.#chunk.subarray(0, this.#used);
    } finally {
      this.#reader.close();
    }
  }

  get #chunk(): Buffer {
    return this.#buffers[this.#turn]!;
  }

  /** Puts a member that the chunk has room for, and does so without a generator: that is what most members are. */
  #putWhole({ header, parts, stored, size }: Encoding): boolean {
    const chunk = this.#chunk;
    const body = this.#used + header.length;
    const end = body + stored + this.#padding(stored);
    if (end >= chunk.length) return false;
    header.copy(chunk, this.#used);
    let at = body;
    for (const { content, start, length } of parts) {
      if (length > 0) this.#ahead.read(content, start, chunk.subarray(at, at + length));
      at += length;
    }
    if (at < end) chunk.fill(0, at, end);
    this.#used = end;
    this.#done += size;
    return true;
  }

  *#putAcross({ header, parts, stored, size }: Encoding): Generator<Buffer> {
    yield* this.#put(header.length, (target, at) => header.copy(target, 0, at));
    for (const { content, start, length } of parts) {
      yield* this.#put(length, (target, at) => {
        this.#ahead.read(content, start + at, target);
        this.#done += target.length;
      });
    }
    this.#done += size - stored;
    yield* this.#put(this.#padding(stored), (target) => target.fill(0));
  }

  #padding(stored: number): number {
    return -stored & (this.#form.alignment - 1);
  }

  /** Has `length` bytes filled in, as many at a time as the chunk has room for. */
  *#put(length: number, fill: (target: Buffer, at: number) => void): Generator<Buffer> {
    for (let at = 0; at < length; ) {
      const step = Math.min(length - at, this.#chunk.length - this.#used);
      fill(this.#chunk.subarray(this.#used, this.#used + step), at);
      at += step;
      this.#used += step;
      if (this.#used < this.#chunk.length) return;
      yield this.#chunk;
      this.#turn = (this.#turn + 1) % this.#buffers.length;
      this.#used = 0;
    }
  }
}
