import { ContentReader } from '../../layer/content.js';
import type { Content, Directory, File, Node, Rootfs, Segment } from '../../rootfs/node.js';
import { walk } from '../../rootfs/walk.js';
import type { EntryType } from '../../tar/entry.js';
import { END, encodeMember, padding } from '../../tar/write.js';
import { runBytes } from '../../tar/write-sparse.js';
import type { Member } from '../../tar/written-member.js';
import { ReadAhead } from './read-ahead.js';

/** How a tree becomes a tar. */
export interface TreeOptions {
  /** Whether sparse files stay so (GNU.sparse 1.0). The OCI image spec advises against them in layers. */
  readonly sparse: boolean;
  /** Whether ACLs stand there as text too, for `tar --acls` and bsdtar; who unpacks layers takes xattrs. Default false. */
  readonly aclText?: boolean;
  /** Directories that get no entry of their own. */
  readonly implied?: ReadonlySet<Directory>;
  /** Xattrs that are left out. */
  readonly leavesOut?: (xattr: string) => boolean;
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
      const { implied } = this.#options;
      for (const { path, node } of walk(this.#rootfs.root)) {
        if (node.kind === 'directory' && implied?.has(node)) continue;
        const member = this.#member(path, node);
        if (!this.#putWhole(member)) yield* this.#putAcross(member);
      }
      yield* this.#put(END.length, (target, at) => END.copy(target, 0, at));
      yield this.#chunk.subarray(0, this.#used);
    } finally {
      this.#reader.close();
    }
  }

  get #chunk(): Buffer {
    return this.#buffers[this.#turn]!;
  }

  #member(path: string, node: Node): Encoding {
    const first = this.#firstNames.get(node);
    if (first !== undefined) return bare(this.#memberOf(path, node, { type: 'link', linkpath: first }));
    if (node.nlink > 1 && node.kind !== 'directory') this.#firstNames.set(node, path);
    return node.kind === 'file' ? this.#file(path, node) : bare(this.#memberOf(path, node));
  }

  /** Most members have no xattrs, and nothing to choose. */
  #memberOf(path: string, node: Node, over?: Overrides): Member {
    const member = memberOf(path, node, over);
    if (member.xattrs.size === 0) return member;
    const { aclText = false, leavesOut } = this.#options;
    const xattrs = leavesOut && new Map([...member.xattrs].filter(([name]) => !leavesOut(name)));
    return { ...member, hasAclText: aclText, ...(xattrs && { xattrs }) };
  }

  #file(path: string, node: File): Encoding {
    const { content } = node;
    const { layer, offset, size, segments } = content;
    const sparse = this.#options.sparse ? segments : undefined;
    const { header, runs } = encodeMember(this.#memberOf(path, node, { size, segments: sparse }));
    if (runs === undefined)
      return { header, parts: [{ content, start: 0, length: size }], stored: size, size };
    const stored = runBytes(runs);
    // Runs that were on blocks already lie in the layer file as they shall lie here.
    const asStored = stored === runBytes(segments!);
    const parts = asStored
      ? [{ content: { layer, offset, size: stored }, start: 0, length: stored }]
      : runs.map(({ start, length }) => ({ content, start, length }));
    return { header, parts, stored, size };
  }

  /** Puts a member that the chunk has room for, and does so without a generator: that is what most members are. */
  #putWhole({ header, parts, stored, size }: Encoding): boolean {
    const chunk = this.#chunk;
    const body = this.#used + header.length;
    const end = body + stored + padding(stored);
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
    yield* this.#put(padding(stored), (target) => target.fill(0));
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

/** A member as it will stand in the archive: its headers, and then the parts, `stored` bytes together. */
interface Encoding {
  readonly header: Buffer;
  readonly parts: readonly { readonly content: Content; readonly start: number; readonly length: number }[];
  readonly stored: number;
  /** Of the file, holes included. */
  readonly size: number;
}

/** A member without a body. */
function bare(member: Member): Encoding {
  return { header: encodeMember(member).header, parts: [], stored: 0, size: 0 };
}

/** What a member says that its node alone does not. */
interface Overrides {
  readonly type?: EntryType;
  readonly linkpath?: string;
  readonly size?: number;
  readonly segments?: readonly Segment[] | undefined;
}

/** What the tar says of a node. Field by field, since to spread `meta` takes longer than all the rest of a header. */
function memberOf(path: string, node: Node, over: Overrides = {}): Member {
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
