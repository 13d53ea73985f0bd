import { BLOCK } from '../../disk/block.js';
import type { ContentReader } from '../../layer/content.js';
import type { Directory, Node } from '../../rootfs/node.js';
import { CHUNK_ENTRY, writeChunkTable } from '../chunks.js';
import { EXTENDED, LAYOUT, NO_BLOCK } from '../format.js';
import type { ImagePlan } from '../image-plan.js';
import { writeInode } from '../inode.js';
import { storedXattrs, writeXattrs, xattrsSize } from '../xattrs.js';
import { DirectoryData } from './directory-data.js';

/** Encodes inodes with what lies behind them: xattrs, then a table of chunks or the end of the data. */
export class InodeEncoder {
  readonly #plan: ImagePlan;
  readonly #reader: ContentReader;
  #directory: DirectoryData | undefined;

  constructor(plan: ImagePlan, reader: ContentReader) {
    this.#plan = plan;
    this.#reader = reader;
  }

  /** Bytes that an inode takes, with what lies behind it. */
  sizeOf(number: number): number {
    const node = this.#plan.tree.inodes[number]!;
    return EXTENDED + xattrBytes(node) + this.#behind(number, node);
  }

  /** Writes an inode into zeroed bytes, as many as it takes. */
  encode(number: number, into: Buffer): void {
    const { tree, layoutOf } = this.#plan;
    const node = tree.inodes[number]!;
    const size = this.#dataSize(number, node);
    const bytes = xattrBytes(node);
    const layout = layoutOf(number);
    writeInode(into, node, {
      layout,
      size,
      xattrBytes: bytes,
      where: this.#where(number),
      serial: number + 1,
    });
    if (bytes > 0) writeXattrs(into.subarray(EXTENDED), storedXattrs(node.meta.xattrs));
    this.#writeBehind(number, node, into.subarray(EXTENDED + bytes));
  }

  #where(number: number): number {
    const chunked = this.#plan.chunked.get(number);
    if (chunked !== undefined) return chunked.bits;
    const first = this.#plan.firstBlocks[number]!;
    return first === NO_BLOCK ? NO_BLOCK : this.#plan.size.inodeBlocks + first;
  }

  #dataSize(number: number, node: Node): number {
    if (node.kind === 'file') return node.content.size;
    if (node.kind === 'symlink') return node.target.length;
    return node.kind === 'directory' ? this.#dataOf(number, node).size : 0;
  }

  /** Kept while the same is asked for: its names are sorted once. */
  #dataOf(number: number, node: Directory): DirectoryData {
    if (this.#directory?.number !== number) this.#directory = new DirectoryData(node, number, this.#plan);
    return this.#directory;
  }

  #behind(number: number, node: Node): number {
    const chunked = this.#plan.chunked.get(number);
    if (chunked !== undefined) return chunked.count * CHUNK_ENTRY;
    return this.#plan.layouts[number] === LAYOUT.inline ? this.#dataSize(number, node) % BLOCK : 0;
  }

  #writeBehind(number: number, node: Node, into: Buffer): void {
    const { chunked, layouts, firstBlocks, size } = this.#plan;
    const chunking = chunked.get(number);
    if (chunking !== undefined) {
      writeChunkTable(into, chunking, chunking.runs, size.inodeBlocks + firstBlocks[number]!);
      return;
    }
    if (layouts[number] !== LAYOUT.inline) return;
    if (node.kind === 'symlink') into.write(node.target, 'latin1');
    else if (node.kind === 'file') this.#reader.read(node.content, node.content.size - into.length, into);
    else if (node.kind === 'directory') {
      const data = this.#dataOf(number, node);
      data.writeBlock(data.blocks - 1, into);
    }
  }
}

function xattrBytes({ meta: { xattrs } }: Node): number {
  return xattrs.size === 0 ? 0 : xattrsSize(storedXattrs(xattrs));
}
