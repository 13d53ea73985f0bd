import { readAt } from '../../disk/positioned.js';
import { AT, DESCRIPTOR } from '../structures/descriptor.js';
import { decodeInode, type StoredInode } from '../structures/inode.js';
import { damaged } from './block-map.js';
import type { FileSystem } from './superblock.js';

/** Inodes are read so many at a time, and so many such pieces are kept. */
const PER_PIECE = 256;
const PIECES = 128;

/** Reads inodes by number; keeps pieces of the inode tables, since neighbours are mostly asked for together. */
export class Inodes {
  readonly #fs: FileSystem;
  readonly #tables = new Map<number, number>();
  readonly #pieces = new Map<number, Buffer>();

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  read(number: number): StoredInode {
    const { inodes, inodesPerGroup, inodeSize } = this.#fs;
    if (number < 1 || number > inodes) throw damaged(`no inode ${number}`);
    const group = Math.floor((number - 1) / inodesPerGroup);
    const index = (number - 1) % inodesPerGroup;
    const inPiece = index % PER_PIECE;
    const piece = this.#piece(number - 1 - inPiece, group, index - inPiece);
    return decodeInode(piece.subarray(inPiece * inodeSize, (inPiece + 1) * inodeSize));
  }

  #piece(key: number, group: number, index: number): Buffer {
    const known = this.#pieces.get(key);
    if (known !== undefined) return known;
    const { inodesPerGroup, inodeSize, blockSize } = this.#fs;
    const count = Math.min(PER_PIECE, inodesPerGroup - index);
    const piece = readAt(this.#fs.fd, this.#table(group) * blockSize + index * inodeSize, count * inodeSize);
    if (this.#pieces.size === PIECES) this.#pieces.delete(this.#pieces.keys().next().value!);
    this.#pieces.set(key, piece);
    return piece;
  }

  /** The first block of a group's table. */
  #table(group: number): number {
    const known = this.#tables.get(group);
    if (known !== undefined) return known;
    const { descriptorSize, descriptorsAt, blockSize, blocks } = this.#fs;
    const at = descriptorsAt * blockSize + group * descriptorSize;
    const descriptor = readAt(this.#fs.fd, at, descriptorSize);
    const high = descriptorSize > DESCRIPTOR ? descriptor.readUInt32LE(AT.inodeTableHigh) * 2 ** 32 : 0;
    const table = descriptor.readUInt32LE(AT.inodeTable) + high;
    if (table === 0 || table >= blocks) throw damaged('an inode table past the end');
    this.#tables.set(group, table);
    return table;
  }
}
