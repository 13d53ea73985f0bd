import { BLOCK } from '../disk/block.js';
import { blocksIn } from '../disk/runs.js';
import type { Survey } from '../disk/survey.js';
import { FlattenError } from '../errors.js';
import type { Node } from '../rootfs/node.js';
import { bestChunking, CHUNK_ENTRY, chunkedBytes, chunkRuns } from './chunks.js';
import { packNames, storedNames } from './directory.js';
import { EXTENDED, LAYOUT, type Layout, NO_BLOCK, SUPERBLOCK_AT, SUPERBLOCK_SIZE } from './format.js';
import type { ChunkedFile, ImagePlan, ImageSize } from './image-plan.js';
import { checkXattrs, MAX_BLOCKS } from './limits.js';
import type { NumberedTree } from './numbering.js';
import { Rooms } from './rooms.js';
import type { Sharers } from './sharing.js';
import { isStorable } from './time.js';
import { storedXattrs, xattrsSize } from './xattrs.js';

/** What is lost of a path, and why. */
export type Lose = (kind: string, path: string, reason: string) => void;

/** How an inode's bytes are shared out. */
interface Shape {
  readonly layout: Layout;
  /** Whole blocks of its own data. */
  readonly blocks: number;
  /** Bytes behind its xattrs. */
  readonly behind: number;
}

const EMPTY: Shape = { layout: LAYOUT.plain, blocks: 0, behind: 0 };

/** Decides where everything lies. Throws `UNSUPPORTED` for what the format cannot hold. */
export class LayoutBuilder {
  readonly #tree: NumberedTree;
  readonly #lose: Lose;
  readonly #rooms = new Rooms(SUPERBLOCK_AT + SUPERBLOCK_SIZE);
  readonly #positions: Float64Array;
  readonly #layouts: Uint8Array;
  readonly #firstBlocks: Uint32Array;
  readonly #isShared: Uint8Array;
  readonly #chunked = new Map<number, ChunkedFile>();
  /** Blocks of data placed so far, all and by kind. */
  #next = 0;
  #directoryBlocks = 0;
  #symlinkBlocks = 0;
  #sharedBlocks = 0;

  constructor(tree: NumberedTree, lose: Lose) {
    const { length } = tree.inodes;
    this.#tree = tree;
    this.#lose = lose;
    this.#positions = new Float64Array(length);
    this.#layouts = new Uint8Array(length);
    this.#firstBlocks = new Uint32Array(length).fill(NO_BLOCK);
    this.#isShared = new Uint8Array(length);
  }

  /** Places everything but files, the root first: its number has 16 bits. */
  placeOthers(): void {
    const { inodes, files } = this.#tree;
    for (let number = 0; number < inodes.length - files.length; number++) {
      const node = inodes[number]!;
      const core = this.#core(number, node);
      const shape = shapeOf(node, core);
      if (node.kind === 'directory') this.#directoryBlocks += shape.blocks;
      else this.#symlinkBlocks += shape.blocks;
      this.#place(number, core, shape);
      this.#addData(number, shape.blocks);
    }
  }

  /** Places files; those of one content lie in the same way, and their blocks are stored once. */
  placeFiles(groups: readonly Sharers[], { runsOf }: Pick<Survey, 'runsOf'>): void {
    for (const group of groups) {
      const numbers = group.files.map((file) => this.#tree.numberOf(file));
      const cores = group.files.map((file, i) => this.#core(numbers[i]!, file));
      const chunked = chunkedOf(group, runsOf(group.first));
      const shape = chunked
        ? { layout: LAYOUT.chunks, blocks: chunked.blocks, behind: chunked.count * CHUNK_ENTRY }
        : flatShape(group.first.content.size, Math.max(...cores), group.files.length);
      for (const [i, number] of numbers.entries()) {
        this.#place(number, cores[i]!, shape);
        if (chunked) this.#chunked.set(number, chunked);
        if (i === 0) this.#addData(number, shape.blocks);
        else this.#share(number, numbers[0]!, shape.blocks);
      }
    }
  }

  finish(): ImagePlan {
    const size = this.#size();
    const layouts = this.#layouts;
    return {
      tree: this.#tree,
      positions: this.#positions,
      layouts,
      firstBlocks: this.#firstBlocks,
      isShared: this.#isShared,
      chunked: this.#chunked,
      size,
      layoutOf: (number) => layouts[number] as Layout,
    };
  }

  #size(): ImageSize {
    const inodeBlocks = this.#rooms.blocks;
    const blocks = inodeBlocks + this.#next;
    if (blocks > MAX_BLOCKS) throw new FlattenError('LIMIT', 'the tree needs an image of more than 16 TiB');
    return {
      inodeBlocks,
      directoryBlocks: this.#directoryBlocks,
      symlinkBlocks: this.#symlinkBlocks,
      fileBlocks: this.#next - this.#directoryBlocks - this.#symlinkBlocks,
      sharedBlocks: this.#sharedBlocks,
      blocks,
      inodes: this.#tree.inodes.length,
    };
  }

  /** Bytes of an inode's core and xattrs. Tells of what is lost. */
  #core(number: number, node: Node): number {
    const { mtime, xattrs } = node.meta;
    const path = () => this.#tree.pathOf(number);
    if (!isStorable(mtime)) this.#lose('mtime', path(), 'erofs has 64 bits for seconds');
    if (xattrs.size === 0) return EXTENDED;
    const bytes = xattrsSize(storedXattrs(xattrs, (reason) => this.#lose('xattr', path(), reason)));
    checkXattrs(path(), bytes);
    return EXTENDED + bytes;
  }

  #place(number: number, core: number, { layout, behind }: Shape): void {
    this.#positions[number] = this.#rooms.take(core + behind);
    this.#layouts[number] = layout;
  }

  #addData(number: number, blocks: number): void {
    if (blocks === 0) return;
    this.#firstBlocks[number] = this.#next;
    this.#next += blocks;
    if (this.#next > MAX_BLOCKS)
      throw new FlattenError('LIMIT', 'the tree needs an image of more than 16 TiB');
  }

  #share(number: number, owner: number, blocks: number): void {
    this.#firstBlocks[number] = this.#firstBlocks[owner]!;
    this.#isShared[number] = 1;
    this.#sharedBlocks += blocks;
  }
}

function shapeOf(node: Node, core: number): Shape {
  if (node.kind === 'directory') return flatShape(packNames(storedNames(node)).size, core, 1);
  if (node.kind === 'symlink') return flatShape(node.target.length, core, 1);
  return EMPTY;
}

/** Whole blocks, and the rest behind the inode where it fits into one block with it. Many inodes share a block rather than have a copy each. */
function flatShape(size: number, core: number, sharers: number): Shape {
  const rest = size % BLOCK;
  const isInline = rest > 0 && core + rest <= BLOCK && (sharers === 1 || rest * sharers <= BLOCK);
  if (isInline) return { layout: LAYOUT.inline, blocks: (size - rest) / BLOCK, behind: rest };
  return { layout: LAYOUT.plain, blocks: Math.ceil(size / BLOCK), behind: 0 };
}

/** How to store files without their holes, where that takes less. */
function chunkedOf({ first, files }: Sharers, runs: readonly number[]): ChunkedFile | undefined {
  const { size } = first.content;
  if (blocksIn(runs) === Math.ceil(size / BLOCK)) return undefined;
  const chunking = bestChunking(size, runs, files.length);
  if (chunkedBytes(chunking, files.length) >= size) return undefined;
  return { ...chunking, runs: chunkRuns(size, runs, chunking.bits) };
}
