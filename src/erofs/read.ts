import { DEFAULT_LIMITS } from '../context.js';
import { deviceOfWord } from '../disk/device.js';
import { FlattenError } from '../errors.js';
import { TYPE } from '../rootfs/mode.js';
import type { Content, Directory, LayerFile, Node, Rootfs } from '../rootfs/node.js';
import { finish } from '../rootfs/walk.js';
import { ENTRY_TYPE, SOCKET, TYPE_BITS } from './format.js';
import { MAX_TARGET } from './limits.js';
import { ReadBudget } from './read/budget.js';
import { dataBlocks, runsOf } from './read/data.js';
import { NamesLeft, namesIn, type StoredName } from './read/directory.js';
import { readInode, type StoredInode } from './read/inode.js';
import { damaged, type FileSystem, readSuperblock } from './read/superblock.js';
import { XattrReader } from './read/xattrs.js';

export interface ReadOptions {
  /** Names past which the image is refused. Default: that of the limits on layers. */
  readonly maxEntries?: number;
}

/**
 * Reads the tree of an EROFS image without compression, whoever made it. `fd` is open for reading and stays the caller's; content lies in
 * it, so it must stay open while the tree is used. The image may be hostile: what makes no sense throws `BAD_IMAGE`, and no image keeps
 * the reader for longer than its size warrants. Throws `UNSUPPORTED` for what a tree cannot hold (sockets) and for features that we do
 * not read, by their names.
 */
export function readErofs(fd: number, options: ReadOptions = {}): Rootfs {
  const { maxEntries = DEFAULT_LIMITS.maxEntries } = options;
  return new TreeReader(readSuperblock(fd), maxEntries).read();
}

/** A directory whose children are still to be read. */
interface Pending {
  readonly directory: Directory;
  readonly inode: StoredInode;
  readonly parent: number;
  readonly path: string;
}

class TreeReader {
  readonly #fs: FileSystem;
  readonly #budget: ReadBudget;
  readonly #xattrs: XattrReader;
  readonly #namesLeft: NamesLeft;
  readonly #layer: LayerFile;
  readonly #nodes = new Map<number, Node>();

  constructor(fs: FileSystem, maxEntries: number) {
    this.#fs = fs;
    this.#budget = new ReadBudget(fs.size);
    this.#xattrs = new XattrReader(fs, this.#budget);
    this.#namesLeft = new NamesLeft(maxEntries);
    this.#layer = { order: 0, file: fs.fd };
  }

  read(): Rootfs {
    const inode = readInode(this.#fs.rootNid, this.#fs);
    const root = this.#node(inode);
    if (root.kind !== 'directory') throw damaged('the root is no directory');
    this.#nodes.set(inode.nid, root);
    const pending: Pending[] = [{ directory: root, inode, parent: inode.nid, path: '' }];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      for (const child of this.#fill(next)) pending.push(child);
    }
    return finish(root);
  }

  /** Reads a directory's children; returns those that are directories themselves. */
  #fill({ directory, inode, parent, path }: Pending): Pending[] {
    const found: Pending[] = [];
    const dots = new Map([
      ['.', inode.nid],
      ['..', parent],
    ]);
    for (const stored of located(path, () => [...this.#names(inode)])) {
      const { name } = stored;
      const childPath = path === '' ? name : `${path}/${name}`;
      const dot = dots.get(name);
      if (dot !== undefined) {
        if (Number(stored.nid) !== dot) throw damaged(`${childPath} leads elsewhere`);
        dots.delete(name);
        continue;
      }
      const child = located(childPath, () => this.#child(stored, directory));
      if (child?.node.kind === 'directory')
        found.push({ directory: child.node, inode: child.stored, parent: inode.nid, path: childPath });
    }
    if (dots.size > 0) throw damaged(`${path || 'the root'} does not name itself or its parent`);
    return found;
  }

  *#names(inode: StoredInode): Generator<StoredName> {
    for (const name of namesIn(dataBlocks(inode, this.#fs, this.#budget))) {
      this.#namesLeft.take();
      yield name;
    }
  }

  /** Puts a name into a directory; gives its inode where it is a new one. */
  #child(
    { name, nid, type }: StoredName,
    directory: Directory,
  ): { node: Node; stored: StoredInode } | undefined {
    const known = this.#nodes.get(Number(nid));
    if (known?.kind === 'directory') throw damaged('a second name of a directory');
    const stored = known === undefined ? readInode(nid, this.#fs) : undefined;
    const node = known ?? this.#node(stored!);
    if (type !== 0 && type !== ENTRY_TYPE[node.kind])
      throw damaged('its name says another type than its inode');
    directory.children.set(name, node);
    if (stored === undefined) return undefined;
    this.#nodes.set(stored.nid, node);
    return { node, stored };
  }

  #node(inode: StoredInode): Node {
    const { mode, uid, gid, mtime, where } = inode;
    const meta = { mode: mode & ~TYPE_BITS, uid, gid, mtime, xattrs: this.#xattrs.read(inode) };
    const common = { meta, nlink: 0 };
    switch (mode & TYPE_BITS) {
      case TYPE.directory:
        return { ...common, kind: 'directory', children: new Map() };
      case TYPE.file:
        return { ...common, kind: 'file', content: this.#content(inode) };
      case TYPE.symlink:
        return { ...common, kind: 'symlink', target: this.#target(inode) };
      case TYPE.fifo:
        return { ...common, kind: 'fifo' };
      case TYPE.char:
        return { ...common, kind: 'char', ...deviceOfWord(where) };
      case TYPE.block:
        return { ...common, kind: 'block', ...deviceOfWord(where) };
      case SOCKET:
        throw new FlattenError('UNSUPPORTED', 'a socket');
      default:
        throw damaged('an inode of no known type');
    }
  }

  #content(inode: StoredInode): Content {
    const { size } = inode;
    const segments = runsOf(inode, this.#fs, this.#budget);
    const [first] = segments;
    const layer = this.#layer;
    if (first?.start === 0 && first.length === size) return { layer, offset: first.at, size };
    return { layer, offset: 0, size, segments };
  }

  #target(inode: StoredInode): string {
    if (inode.size > MAX_TARGET) throw damaged('a symlink with too long a target');
    const target = Buffer.concat([...dataBlocks(inode, this.#fs, this.#budget)]).toString('latin1');
    if (target === '' || target.includes('\0')) throw damaged('a symlink without a target');
    return target;
  }
}

function located<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FlattenError) || error.path !== undefined) throw error;
    const { code, what, hint } = error;
    throw new FlattenError(code, what, { path: path || '.', cause: error, ...(hint && { hint }) });
  }
}
