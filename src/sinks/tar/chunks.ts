import { ContentReader } from '../../layer/content.js';
import type { Content, File, Node, Rootfs, Segment } from '../../rootfs/node.js';
import { walk } from '../../rootfs/walk.js';
import type { EntryType } from '../../tar/entry.js';
import { END, encodeMember, type Member, padding } from '../../tar/write.js';
import { runBytes } from '../../tar/write-sparse.js';
import { ReadAhead } from './read-ahead.js';

/** How a tree becomes a tar. */
export interface TreeOptions {
  /** Whether sparse files stay so (GNU.sparse 1.0). The OCI image spec advises against them in layers. */
  readonly sparse: boolean;
}

/**
 * The bytes of a tree's tar, read as they are asked for. Names have no leading `./`, except that the root directory is
 * `./`; a directory's ends in `/`. The order is that of `walk`; the second name of an inode on is a hard link to the first.
 */
export class TreeChunks {
  readonly #rootfs: Rootfs;
  readonly #options: TreeOptions;
  readonly #buffers: readonly Buffer[];
  readonly #reader = new ContentReader();
  readonly #ahead = new ReadAhead(this.#reader);
  readonly #firstNames = new Map<Node, string>();
  #turn = 0;
  #used = 0;
  #done = 0;

  /** Chunks are the `buffers` by turns, all of one length: each is good until all others have been yielded. */
  constructor(rootfs: Rootfs, buffers: readonly Buffer[], options: TreeOptions) {
    this.#rootfs = rootfs;
    this.#options = options;
    this.#buffers = buffers;
  }

  /** Content bytes so far, holes included: what `Rootfs.bytes` is the total of. */
  get done(): number {
    return this.#done;
  }

  /** Full buffers, then the last, shorter one. To be iterated once; closes what it opened. */
  *[Symbol.iterator](): Generator<Buffer> {
    try {
      for (const { path, node } of walk(this.#rootfs.root)) yield* this.#member(path, node);
      yield* this.#bytes(END);
      yield this.#chunk.subarray(0, this.#used);
    } finally {
      this.#reader.close();
    }
  }

  get #chunk(): Buffer {
    return this.#buffers[this.#turn]!;
  }

  *#member(path: string, node: Node): Generator<Buffer> {
    const first = this.#firstNames.get(node);
    if (first !== undefined) {
      yield* this.#bytes(encodeMember(memberOf(path, node, { type: 'link', linkpath: first })).header);
      return;
    }
    if (node.nlink > 1 && node.kind !== 'directory') this.#firstNames.set(node, path);
    if (node.kind === 'file') yield* this.#file(path, node);
    else yield* this.#bytes(encodeMember(memberOf(path, node)).header);
  }

  *#file(path: string, node: File): Generator<Buffer> {
    const { content } = node;
    const { layer, offset, size, segments } = content;
    const { header, runs } = encodeMember(
      memberOf(path, node, { size, segments: this.#options.sparse ? segments : undefined }),
    );
    const stored = runs === undefined ? size : runBytes(runs);
    yield* this.#bytes(header);
    if (runs === undefined) yield* this.#content(content, 0, size);
    // Runs that are on blocks already lie in the layer file as they shall lie here.
    else if (stored === runBytes(segments!)) yield* this.#content({ layer, offset, size: stored }, 0, stored);
    else for (const { start, length } of runs) yield* this.#content(content, start, length);
    this.#done += size - stored;
    yield* this.#put(padding(stored), (target) => target.fill(0));
  }

  #bytes(bytes: Buffer): Generator<Buffer> {
    return this.#put(bytes.length, (target, at) => bytes.copy(target, 0, at));
  }

  #content(content: Content, start: number, length: number): Generator<Buffer> {
    return this.#put(length, (target, at) => {
      this.#ahead.read(content, start + at, target);
      this.#done += target.length;
    });
  }

  /** Has `length` bytes filled in, as many at a time as the chunk has room for. */
  *#put(length: number, fill: (target: Buffer, at: number) => void): Generator<Buffer> {
    for (let at = 0; at < length; ) {
      const room = this.#chunk.length - this.#used;
      const step = Math.min(length - at, room);
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

/** What the tar says of a node; `over` is what the node alone does not say. Spelled out: a spread of `meta` takes longer than all the rest. */
function memberOf(
  path: string,
  node: Node,
  over: {
    type?: EntryType;
    linkpath?: string;
    size?: number;
    segments?: readonly Segment[] | undefined;
  } = {},
): Member {
  const { meta, kind } = node;
  return {
    path: kind === 'directory' ? (path === '' ? './' : `${path}/`) : path,
    type: over.type ?? kind,
    linkpath: over.linkpath ?? (kind === 'symlink' ? node.target : ''),
    mode: meta.mode,
    uid: meta.uid,
    gid: meta.gid,
    mtime: meta.mtime,
    xattrs: meta.xattrs,
    size: over.size ?? 0,
    major: kind === 'char' || kind === 'block' ? node.major : 0,
    minor: kind === 'char' || kind === 'block' ? node.minor : 0,
    segments: over.segments,
  };
}
