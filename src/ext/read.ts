import { DEFAULT_LIMITS } from '../context.js';
import { readAt } from '../disk/positioned.js';
import { FlattenError } from '../errors.js';
import type { Content, Directory, LayerFile, Metadata, Node, Rootfs } from '../rootfs/node.js';
import { finish } from '../rootfs/walk.js';
import { BlockBudget, damaged, readBlockMap } from './read/block-map.js';
import { readNames, type StoredName } from './read/directory.js';
import { Inodes } from './read/inodes.js';
import { type FileSystem, readSuperblock } from './read/superblock.js';
import { XattrReader } from './read/xattrs.js';
import { decodeDevice } from './structures/device.js';
import { ROOT_INODE } from './structures/features.js';
import { FLAG, FORMAT, FORMAT_BITS, MAP_SIZE, type StoredInode } from './structures/inode.js';
import { decodeTime } from './structures/time.js';

export interface ReadOptions {
  /** Names past which the image is refused. Default: that of the limits on layers. */
  readonly maxEntries?: number;
}

/**
 * Reads the tree of an ext2, ext3 or ext4 image, `lost+found` included. `fd` is open for reading and stays the
 * caller's; content lies in it, so it must stay open while the tree is used. The image may be hostile: what makes
 * no sense throws `BAD_IMAGE`, and no image keeps the reader for longer than its size warrants. Throws `UNSUPPORTED` for what a tree
 * cannot hold (sockets) and for features we do not read (inline data, encryption, a journal to be replayed).
 */
export function readExt(fd: number, options: ReadOptions = {}): Rootfs {
  const { maxEntries = DEFAULT_LIMITS.maxEntries } = options;
  return new TreeReader(readSuperblock(fd), maxEntries).read();
}

/** A directory whose children are still to be read. */
interface Pending {
  readonly directory: Directory;
  readonly inode: StoredInode;
  readonly path: string;
}

class TreeReader {
  readonly #fs: FileSystem;
  readonly #inodes: Inodes;
  readonly #xattrs: XattrReader;
  readonly #budget: BlockBudget;
  readonly #layer: LayerFile;
  readonly #nodes = new Map<number, Node>();
  #entriesLeft: number;

  constructor(fs: FileSystem, maxEntries: number) {
    this.#fs = fs;
    this.#inodes = new Inodes(fs);
    this.#xattrs = new XattrReader(fs);
    this.#budget = new BlockBudget(fs.blocks);
    this.#layer = { order: 0, file: fs.fd };
    this.#entriesLeft = maxEntries;
  }

  read(): Rootfs {
    const inode = this.#inodes.read(ROOT_INODE);
    const root = this.#node(inode);
    if (root.kind !== 'directory') throw damaged('the root is no directory');
    this.#nodes.set(ROOT_INODE, root);
    const pending: Pending[] = [{ directory: root, inode, path: '' }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const child of this.#fill(next)) pending.push(child);
    }
    return finish(root);
  }

  /** Reads a directory's children; returns those that are directories themselves. */
  #fill({ directory, inode, path }: Pending): Pending[] {
    const found: Pending[] = [];
    for (const { name, inode: number } of this.#names(inode)) {
      const childPath = path === '' ? name : `${path}/${name}`;
      if (directory.children.has(name)) throw damaged(`${childPath} is there twice`);
      const known = this.#nodes.get(number);
      if (known?.kind === 'directory') throw damaged(`${childPath} is a second name of a directory`);
      if (known !== undefined) {
        directory.children.set(name, known);
        continue;
      }
      const stored = this.#inodes.read(number);
      const child = located(childPath, () => this.#node(stored));
      this.#nodes.set(number, child);
      directory.children.set(name, child);
      if (child.kind === 'directory') found.push({ directory: child, inode: stored, path: childPath });
    }
    return found;
  }

  /** In the order of inodes: a hashed directory's own order jumps through all of the inode tables. */
  #names(inode: StoredInode): StoredName[] {
    const names: StoredName[] = [];
    for (const name of readNames(inode, this.#fs, this.#budget)) {
      if (--this.#entriesLeft < 0) throw new FlattenError('LIMIT', 'the image has too many names');
      names.push(name);
    }
    return names.sort((a, b) => a.inode - b.inode);
  }

  #node(inode: StoredInode): Node {
    const common = { meta: this.#metadata(inode), nlink: 0 };
    switch (inode.mode & FORMAT_BITS) {
      case FORMAT.directory:
        return { ...common, kind: 'directory', children: new Map() };
      case FORMAT.file:
        return { ...common, kind: 'file', content: this.#content(inode) };
      case FORMAT.symlink:
        return { ...common, kind: 'symlink', target: this.#target(inode) };
      case FORMAT.fifo:
        return { ...common, kind: 'fifo' };
      case FORMAT.char:
        return { ...common, kind: 'char', ...deviceOf(inode) };
      case FORMAT.block:
        return { ...common, kind: 'block', ...deviceOf(inode) };
      case FORMAT.socket:
        throw new FlattenError('UNSUPPORTED', 'a socket');
      default:
        throw damaged('an inode of no known type');
    }
  }

  #metadata(inode: StoredInode): Metadata {
    const { mode, uid, gid } = inode;
    const xattrs = this.#xattrs.read(inode);
    return { mode: mode & ~FORMAT_BITS, uid, gid, mtime: decodeTime(inode.time), xattrs };
  }

  #content(inode: StoredInode): Content {
    const { size } = inode;
    const { blockSize } = this.#fs;
    const segments = readBlockMap(inode, this.#fs, this.#budget).map(({ logical, physical, count }) => {
      const start = logical * blockSize;
      return { start, length: Math.min(count * blockSize, size - start), at: physical * blockSize };
    });
    const [first] = segments;
    const layer = this.#layer;
    if (first?.start === 0 && first.length === size) return { layer, offset: first.at, size };
    return { layer, offset: 0, size, segments };
  }

  #target(inode: StoredInode): string {
    const { size, map, flags } = inode;
    const { blockSize, fd } = this.#fs;
    if (size < MAP_SIZE && !(flags & FLAG.extents)) return map.toString('latin1', 0, size);
    const [block] = readBlockMap(inode, this.#fs, this.#budget);
    if (block === undefined || block.logical !== 0 || size > blockSize)
      throw damaged('a symlink without a target');
    return readAt(fd, block.physical * blockSize, size).toString('latin1');
  }
}

function deviceOf({ map }: StoredInode): { major: number; minor: number } {
  return decodeDevice(map.readUInt32LE(0), map.readUInt32LE(4));
}

function located<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FlattenError) || error.path !== undefined) throw error;
    const { code, what, hint } = error;
    throw new FlattenError(code, what, { path, cause: error, ...(hint && { hint }) });
  }
}
