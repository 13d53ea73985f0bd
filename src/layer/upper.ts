import { FlattenError } from '../errors.js';
import type { Upper } from '../rootfs/merge.js';
import { type Directory, directory, type LayerFile, type Metadata, type Node } from '../rootfs/node.js';
import { MAX_PATH, splitLast } from '../rootfs/path.js';
import type { TarEntry } from '../tar/entry.js';
import { Budget } from './budget.js';
import { detached } from './detached.js';
import { Links } from './links.js';
import { Notes } from './notes.js';
import { isOpaque, isOverlays, remove, takeOverlay } from './overlay.js';
import { Parents, type Place } from './parents.js';

const MARKER = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** What AUFS keeps at the root of a layer: never shown, but hard links may lead there. */
const BOOKKEEPING = '.wh..wh.';

/** How a layer is read. */
export interface UpperOptions {
  /** Put what lies below a lower layer's symlink to a directory where that symlink leads, as `tar --keep-directory-symlink`. */
  readonly keepDirlinks: boolean;
  /** Whether names that begin with `.wh.` are just names: {@link Layer.isPlain}. Default false. */
  readonly isPlain?: boolean;
  /** Shared by all layers of an image. Default: one with the usual limits. */
  readonly budget?: Budget;
  /** Shared by all layers of an image. Default: some that nobody reads. */
  readonly notes?: Notes;
}

/**
 * Reads a layer's entries, in archive order, into a tree of its own: rules 1 to 10 of the layer rules. `lower` is the
 * tree so far; it is looked at and never changed. Add every entry, then `finish`.
 */
export class UpperBuilder {
  readonly #root = directory();
  readonly #lower: Directory;
  readonly #implied = new Set([this.#root]);
  readonly #opaque = new Set<Directory>();
  readonly #removed = new Map<Directory, Set<string>>();
  readonly #parents: Parents;
  readonly #links: Links;
  readonly #budget: Budget;
  readonly #isPlain: boolean;
  #lastMeta: Metadata = this.#root.meta;
  readonly #notes: Notes;
  #isOverlay = false;

  constructor(lower: Directory, options: UpperOptions) {
    const { keepDirlinks, isPlain = false, budget = new Budget(), notes = new Notes() } = options;
    this.#lower = lower;
    this.#budget = budget;
    this.#notes = notes;
    this.#isPlain = isPlain;
    this.#parents = new Parents({
      root: this.#root,
      implied: this.#implied,
      lower,
      removed: this.#removed,
      opaque: this.#opaque,
      keepDirlinks,
      budget,
    });
    this.#links = new Links({ root: this.#root, lower, isPlain, budget });
  }

  /** Takes one entry, its bytes lying in `file`. Throws `BAD_LAYER` or `LIMIT`, naming the path. */
  add(entry: TarEntry, file: LayerFile): void {
    this.#budget.take(entry);
    const [parent, last] = splitLast(checkedPath(entry.path));
    if (last === '') {
      this.#describeRoot(entry);
      return;
    }
    if (last === '..') throw bad(entry.path, 'a name that leads out by `..`');
    const place = this.#parents.of(parent, entry.path);
    if (place.detour > 0) this.#budget.detour(place.detour, entry.path);
    const name = detached(last);
    if (this.#isMarker(name, place.directory === this.#root)) {
      this.#mark(place.directory, name, entry.path);
      return;
    }
    this.#noteOverlay(entry);
    if (entry.type === 'directory') this.#describe(place, name, entry);
    else this.#put(place.directory, name, entry, file);
  }

  /** Settles the hard links that still wait for their target, and gives the layer's tree. */
  finish(): Upper {
    this.#links.settle();
    if (this.#isOverlay) takeOverlay(this.#root, this.#lower, this.#removed);
    if (!this.#isPlain) {
      for (const name of this.#root.children.keys()) {
        if (name.startsWith(BOOKKEEPING)) this.#root.children.delete(name);
      }
    }
    return { root: this.#root, implied: this.#implied, opaque: this.#opaque, removed: this.#removed };
  }

  #noteOverlay(entry: TarEntry): void {
    if (this.#isPlain || !isOverlays(entry)) return;
    this.#isOverlay = true;
    this.#notes.overlay ??= entry.path;
  }

  #describeRoot(entry: TarEntry): void {
    if (entry.type !== 'directory') throw bad(entry.path, `the root directory cannot be a ${entry.type}`);
    this.#noteOverlay(entry);
    this.#root.meta = this.#metadata(entry);
    this.#implied.delete(this.#root);
  }

  #isMarker(name: string, isAtRoot: boolean): boolean {
    if (this.#isPlain || !name.startsWith(MARKER)) return false;
    return !(isAtRoot && name.startsWith(BOOKKEEPING) && name !== OPAQUE);
  }

  #mark(parent: Directory, name: string, path: string): void {
    if (name === OPAQUE) {
      this.#opaque.add(parent);
      return;
    }
    const target = name.slice(MARKER.length);
    if (target === '' || target === '.' || target === '..') throw bad(path, 'a whiteout that names nothing');
    remove(this.#removed, parent, target);
  }

  #describe(place: Place, name: string, entry: TarEntry): void {
    if (this.#parents.lowerDirlink(place, name) !== undefined) return;
    const { children } = place.directory;
    let node = children.get(name);
    if (node?.kind !== 'directory') {
      if (node !== undefined) this.#parents.forget();
      node = directory();
      children.set(name, node);
    }
    node.meta = this.#metadata(entry);
    this.#implied.delete(node);
    if (!this.#isPlain && isOpaque(entry.xattrs)) this.#opaque.add(node);
  }

  #put(parent: Directory, name: string, entry: TarEntry, file: LayerFile): void {
    if (parent.children.has(name)) this.#parents.forget();
    const { path, linkpath: target } = entry;
    if (entry.type === 'link') this.#links.add({ path, target, parent, name });
    else parent.children.set(name, inode(entry, this.#metadata(entry), file));
  }

  /** Neighbours mostly agree in their metadata, so they share it. */
  #metadata(entry: TarEntry): Metadata {
    const { mode, uid, gid, mtime, xattrs, unread, namedAcls } = entry;
    if (namedAcls !== undefined || unread !== undefined) {
      this.#notes.namedAcls.push(...(namedAcls ?? []));
      this.#notes.hasUnread ||= unread !== undefined;
      return { mode, uid, gid, mtime, xattrs, ...(unread && { unread }) };
    }
    const last = this.#lastMeta;
    const isSame = last.mode === mode && last.uid === uid && last.gid === gid && last.mtime === mtime;
    if (!isSame || last.xattrs.size > 0 || xattrs.size > 0)
      this.#lastMeta = { mode, uid, gid, mtime, xattrs };
    return this.#lastMeta;
  }
}

function inode(entry: TarEntry, meta: Metadata, file: LayerFile): Node {
  const { type, offset, size, segments } = entry;
  switch (type) {
    case 'symlink':
      // Linux knows no mode of a symlink, whatever its header says.
      return {
        kind: type,
        meta: meta.mode === 0o777 ? meta : { ...meta, mode: 0o777 },
        nlink: 0,
        target: checkedTarget(entry),
      };
    case 'char':
    case 'block':
      return { kind: type, meta, nlink: 0, major: entry.major, minor: entry.minor };
    case 'fifo':
      return { kind: type, meta, nlink: 0 };
    default: {
      const content = { layer: file, offset, size };
      return {
        kind: 'file',
        meta,
        nlink: 0,
        content: segments === undefined ? content : { ...content, segments },
      };
    }
  }
}

function checkedTarget({ path, linkpath }: TarEntry): string {
  if (linkpath === '' || linkpath.includes('\0')) throw bad(path, 'a symlink without a target');
  if (linkpath.length > MAX_PATH) {
    throw bad(path, `a symlink target of ${linkpath.length} bytes: Linux takes at most ${MAX_PATH}`);
  }
  return linkpath;
}

function checkedPath(path: string): string {
  if (path === '') throw bad(path, 'an entry without a name');
  if (path.includes('\0')) throw bad(path, 'a name with a NUL byte');
  if (path.length <= MAX_PATH) return path;
  throw new FlattenError('LIMIT', `a path of ${path.length} bytes: at most ${MAX_PATH} are read`, {
    path: `${path.slice(0, 60)}…`,
  });
}

function bad(path: string, what: string): FlattenError {
  return new FlattenError('BAD_LAYER', what, { path });
}
