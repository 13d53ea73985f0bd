import { readAt } from '../../disk/positioned.js';
import { FlattenError } from '../../errors.js';
import { ENTRY, entrySize, HEADER, PREFIXES } from '../xattrs.js';
import type { ReadBudget } from './budget.js';
import type { StoredInode } from './inode.js';
import { damaged, type FileSystem } from './superblock.js';

/** All xattrs together: shared ones may be named by any number of inodes. */
const MAX_BYTES = 256 * 2 ** 20;
const SHARED_COUNT = 4;
const SHARED_ID = 4;

/** Reads inodes' xattrs: those behind them, and those that they share with others. */
export class XattrReader {
  readonly #fs: FileSystem;
  readonly #budget: ReadBudget;
  #left = MAX_BYTES;

  constructor(fs: FileSystem, budget: ReadBudget) {
    this.#fs = fs;
    this.#budget = budget;
  }

  read({ xattrsAt, xattrBytes }: StoredInode): Map<string, Buffer> {
    const found = new Map<string, Buffer>();
    if (xattrBytes === 0) return found;
    this.#budget.takeBytes(xattrBytes);
    const body = readAt(this.#fs.fd, xattrsAt, xattrBytes);
    const ownAt = HEADER + body[SHARED_COUNT]! * SHARED_ID;
    if (ownAt > body.length) throw damaged('shared xattrs of an inode cut short');
    for (let at = HEADER; at < ownAt; at += SHARED_ID) this.#addShared(body.readUInt32LE(at), found);
    for (let at = ownAt; at + ENTRY <= body.length; ) {
      if (body.readUInt32LE(at) === 0) break; // nothing but padding
      at += this.#add(body.subarray(at), found);
    }
    return found;
  }

  #addShared(id: number, found: Map<string, Buffer>): void {
    const { sharedXattrs, fd } = this.#fs;
    const at = sharedXattrs + id * SHARED_ID;
    const head = readAt(fd, at, ENTRY);
    this.#add(readAt(fd, at, ENTRY + head[0]! + head.readUInt16LE(2)), found);
  }

  /** Adds the entry that bytes begin with; returns how many it takes. */
  #add(bytes: Buffer, found: Map<string, Buffer>): number {
    const nameLength = bytes[0]!;
    const index = bytes[1]!;
    const size = bytes.readUInt16LE(2);
    const end = ENTRY + nameLength + size;
    if (end > bytes.length) throw damaged('an xattr cut short');
    this.#left -= end;
    if (this.#left < 0) throw new FlattenError('LIMIT', `xattrs of more than ${MAX_BYTES} bytes`);
    const prefix = PREFIXES.find(([, known]) => known === index)?.[0];
    if (prefix === undefined) throw new FlattenError('UNSUPPORTED', `xattrs of namespace ${index}`);
    const name = prefix + bytes.toString('latin1', ENTRY, ENTRY + nameLength);
    if (name.includes('\0') || found.has(name)) throw damaged('an impossible xattr name');
    found.set(name, Buffer.from(bytes.subarray(ENTRY + nameLength, end)));
    return entrySize(nameLength, size);
  }
}
