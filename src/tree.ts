import { once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import type { Context } from './context.js';
import type { DiskPlan, PlannedFormat } from './disk-plan.js';
import { FlattenError, printable, throwIfAborted } from './errors.js';
import { ContentReader } from './layer/content.js';
import type { InputBounds } from './layer/input-bounds.js';
import type { Layer } from './layer/layer.js';
import type { LoadedTree } from './load-tree.js';
import { Losses } from './losses.js';
import type { ImageConfig } from './oci/config.js';
import type { Digest } from './oci/digest.js';
import type { Origin } from './origin.js';
import type { Directory, File, Metadata, Node, Rootfs } from './rootfs/node.js';
import { lookup } from './rootfs/path.js';
import { bytesOf, textOf } from './rootfs/path-text.js';
import { walk } from './rootfs/walk.js';
import { writeArchive } from './sinks/archive/stream.js';
import { inTurn } from './sinks/archive/writer.js';
import { refuseZeros } from './sinks/archive/zeros.js';
import type { DiskOptions } from './sinks/open.js';
import type { Artifact, Flattened, Sink } from './sinks/sink.js';
import { withLosses } from './sinks/sink.js';
import { TarForm } from './sinks/tar/members.js';
import { FLAT_TAR } from './sinks/tar.js';
import { sizeText } from './size-text.js';

/** Bytes of a file that {@link Tree.stream} reads at a time. */
const PIECE = 1 << 20;
/** The largest file that {@link Tree.read} holds in memory. */
const MAX_READ = 1 << 30;

/** A name in a tree, and the inode that it names. */
export class Entry {
  readonly node: Node;
  readonly #path: string;
  readonly #layers: readonly Layer[];

  /** `path` is latin1. */
  constructor(path: string, node: Node, layers: readonly Layer[]) {
    this.#path = path;
    this.node = node;
    this.#layers = layers;
  }

  /** From the root, without a leading slash, `''` for the root itself: text, with `\xNN` for a byte that is no UTF-8. */
  get path(): string {
    return textOf(this.#path);
  }

  /** The path as the bytes that it is. */
  get bytes(): Buffer {
    return Buffer.from(this.#path, 'latin1');
  }

  get kind(): Node['kind'] {
    return this.node.kind;
  }

  /** Mode, owner, time and xattrs. */
  get meta(): Metadata {
    return this.node.meta;
  }

  /** A file's bytes; 0 for anything else. */
  get size(): number {
    return this.node.kind === 'file' ? this.node.content.size : 0;
  }

  /** Where a symlink leads, as {@link path} is written; undefined for anything else. */
  get target(): string | undefined {
    return this.node.kind === 'symlink' ? textOf(this.node.target) : undefined;
  }

  /** The layer that a file's content lies in; undefined for anything else, and for files of this machine. */
  get layer(): Layer | undefined {
    const { node } = this;
    if (node.kind !== 'file' || typeof node.content.layer.file === 'string') return undefined;
    return this.#layers[node.content.layer.order];
  }
}

/** Something that a tree can be written to. It appears whole or not at all; on an error or an abort nothing of it stays. */
export type TreeSink = Sink<Tree>;

/**
 * The one tree that an image's layers come to. It can be looked at, read, and written to sinks, as often as you like; close it before its image.
 *
 * @example
 * await using tree = await image.tree({ exclude: ['*.pyc'] });
 * for (const { path, kind, size } of tree.walk()) console.log(kind, size, path);
 * const passwd = await tree.read('etc/passwd');
 * await tree.writeTo(disk('disk.img', { format: 'ext4' }));
 */
export class Tree implements Flattened {
  readonly rootfs: Rootfs;
  /** The image's, base first. */
  readonly layers: readonly Layer[];
  readonly config?: ImageConfig;
  readonly digest?: Digest;
  readonly image?: NonNullable<Flattened['image']>;
  readonly base?: { readonly layers: readonly Layer[]; readonly root: Directory };
  readonly bounds?: InputBounds;
  readonly verified: Promise<void>;
  readonly #loaded: LoadedTree;
  readonly #context: Context;

  constructor(loaded: LoadedTree, layers: readonly Layer[], origin: Origin, context: Context) {
    const { config, digest, image, bounds } = origin;
    this.rootfs = loaded.rootfs;
    this.verified = loaded.verified;
    if (loaded.base) this.base = loaded.base;
    if (config) this.config = config;
    if (digest) this.digest = digest;
    if (image) this.image = image;
    if (bounds) this.bounds = bounds;
    this.#loaded = loaded;
    this.layers = layers;
    this.#context = context;
  }

  /** Names, the root included. */
  get entries(): number {
    return this.rootfs.entries;
  }

  /** The sizes of all files together, each inode once. */
  get bytes(): number {
    return this.rootfs.bytes;
  }

  /** Every name, the root first, each directory before its children, children in byte order. */
  *walk(): Generator<Entry> {
    for (const { path, node } of walk(this.rootfs.root)) yield new Entry(path, node, this.layers);
  }

  /**
   * The entry that a path leads to, `etc/passwd` or `/etc/passwd`. Symlinks are followed inside the tree, the last one too unless
   * `follow` is false. Undefined where nothing is there. The entry's path is the one that was asked for.
   */
  lookup(path: string, { follow = true }: { readonly follow?: boolean } = {}): Entry | undefined {
    const bytes = bytesOf(path);
    const node = lookup(this.rootfs.root, bytes, { follow });
    return node && new Entry(bytes.replace(/^\/+|\/+$/g, ''), node, this.layers);
  }

  /**
   * A file's bytes, once the image's digests were found right. Throws `NOT_FOUND` where there is no file, `LIMIT` for one of more than
   * 1 GiB, which {@link stream} reads.
   */
  async read(path: string): Promise<Buffer> {
    const { content } = this.#file(path);
    if (content.size > MAX_READ)
      throw new FlattenError(
        'LIMIT',
        `it has ${sizeText(content.size)}, too much to hold in memory: stream it`,
        {
          path: bytesOf(path),
        },
      );
    await this.verified;
    const bytes = Buffer.alloc(content.size);
    const reader = new ContentReader();
    try {
      reader.read(content, 0, bytes);
    } finally {
      reader.close();
    }
    return bytes;
  }

  /** A file's bytes, as {@link read} gives them, for a file of any size. Throws `NOT_FOUND` at once. */
  stream(path: string): Readable {
    return Readable.from(this.#pieces(this.#file(path)), { objectMode: false });
  }

  /** The tree as a flat tar, the bytes that `-o rootfs.tar` has. Nothing comes before the image's digests were found right. */
  tar(): Readable {
    const stream = new PassThrough({ highWaterMark: PIECE });
    const stop = new AbortController();
    stream.once('close', () => stop.abort());
    const context = { ...this.#context, signal: AbortSignal.any([this.#context.signal, stop.signal]) };
    void this.#writeTar(stream, context).then(
      () => stream.end(),
      (error) => stream.destroy(error),
    );
    return stream;
  }

  /**
   * How large a disk image of the tree is, and why, without writing it; `options` are those of `disk()`. Content is read. Throws `LIMIT` or
   * `UNSUPPORTED` where the format cannot hold the tree.
   */
  async plan(format: PlannedFormat, options: DiskOptions = {}): Promise<DiskPlan> {
    const { planTree } = await import('./disk-plan.js');
    return planTree(this.rootfs, { ...options, format, strict: false }, this.#context);
  }

  /** Writes the tree; `sink` is one of `directory()`, `tar()`, `disk()`, `image()`, or your own. Throws what the sink throws. */
  async writeTo(sink: TreeSink): Promise<Artifact> {
    const losses = new Losses({ strict: false });
    losses.merge(this.#loaded.losses);
    return withLosses(await sink.write(this, this.#context), losses);
  }

  /** Lets go of the layers: nothing can be read or written any more. Harmless when done before. */
  async close(): Promise<void> {
    this.#loaded.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #file(path: string): File {
    const node = lookup(this.rootfs.root, bytesOf(path), { follow: true });
    if (node?.kind === 'file') return node;
    const what = node === undefined ? 'is not in the image' : `is a ${node.kind}, no file`;
    throw new FlattenError('NOT_FOUND', `${printable(bytesOf(path))}: ${what}`);
  }

  async *#pieces({ content }: File): AsyncGenerator<Buffer> {
    await this.verified;
    const reader = new ContentReader();
    try {
      for (let start = 0; start < content.size; start += PIECE) {
        throwIfAborted(this.#context.signal);
        const piece = Buffer.allocUnsafe(Math.min(PIECE, content.size - start));
        reader.read(content, start, piece);
        yield piece;
      }
    } finally {
      reader.close();
    }
  }

  async #writeTar(stream: PassThrough, context: Context): Promise<void> {
    refuseZeros(this.rootfs, FLAT_TAR, this.bounds);
    await this.verified;
    const put = inTurn(async (chunk) => {
      // A chunk is written over once this has settled, and the stream keeps what it is given.
      if (!stream.write(Buffer.from(chunk))) await once(stream, 'drain', { signal: context.signal });
    });
    await writeArchive(this.rootfs, new TarForm(FLAT_TAR), put, context);
  }
}
