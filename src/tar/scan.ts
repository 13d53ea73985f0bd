import { FlattenError } from '../errors.js';
import type { EntryType, TarEntry } from './entry.js';
import { BLOCK, type Header, number, parseHeader, text } from './header.js';
import { type PaxRecord, parsePax, paxFields, paxNumber, paxTime, paxXattrs } from './pax.js';
import { checkedRuns, oldGnuMap, paxMap, type SparseMap } from './sparse.js';

/** Where an archive is read from: an uncompressed tar of known size. */
export interface TarSource {
  readonly size: number;
  /** Reads at most `target.length` bytes at `position` and returns how many; 0 only at the end. */
  read(target: Uint8Array, position: number): number;
}

/** The most bytes a PAX header or a GNU long name may take; Go's archive/tar has the same bound. */
export const MAX_SPECIAL = 1 << 20;

const DEFAULT_WINDOW = 512 * 1024;
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

const TYPES: Readonly<Record<string, EntryType>> = {
  '\0': 'file',
  0: 'file',
  7: 'file',
  S: 'file',
  1: 'link',
  2: 'symlink',
  3: 'char',
  4: 'block',
  5: 'directory',
  6: 'fifo',
};

/**
 * Yields the members of a tar archive in order, reading headers only. Bodies are skipped, never held. The archive ends
 * at two zero blocks or at its last byte. Errors (`BAD_LAYER`, `LIMIT`) name the member and are final.
 */
export function* scanTar(source: TarSource, options: { readonly window?: number } = {}): Generator<TarEntry> {
  const window = new Window(source, options.window ?? DEFAULT_WINDOW);
  let globals: readonly PaxRecord[] = [];
  let pending: Pending = {};
  let position = 0;
  for (;;) {
    const block = window.at(position, BLOCK);
    if (isEnd(block, position, window)) {
      if (pending.name !== undefined || pending.link !== undefined || pending.pax !== undefined) {
        throw new FlattenError(
          'BAD_LAYER',
          'the archive ends between a long-name or PAX header and its entry',
        );
      }
      return;
    }
    if (block.length < BLOCK) throw new FlattenError('BAD_LAYER', 'the archive ends within a header');
    const header = located(position, () => parseHeader(block));
    const body = position + BLOCK;
    if (header.type === 'x' || header.type === 'g' || header.type === 'L' || header.type === 'K') {
      const bytes = special(window, header, body);
      if (header.type === 'g') globals = [...globals, ...parsePax(bytes)];
      else pending = remember(pending, header.type, bytes);
      position = body + padded(header.size);
      continue;
    }
    const { entry, next } = named(pending.name ?? header.name, () =>
      assemble(window, header, block, body, pending, globals),
    );
    yield entry;
    pending = {};
    position = next;
  }
}

/** What the special headers before an entry said. */
interface Pending {
  readonly name?: string;
  readonly link?: string;
  readonly pax?: readonly PaxRecord[];
}

function remember(pending: Pending, type: 'x' | 'L' | 'K', bytes: Buffer): Pending {
  if (type === 'x') return { ...pending, pax: parsePax(bytes) };
  const name = text(bytes, 0, bytes.length);
  return type === 'L' ? { ...pending, name } : { ...pending, link: name };
}

function special(window: Window, header: Header, body: number): Buffer {
  const what = header.type === 'x' || header.type === 'g' ? 'PAX header' : 'GNU long name';
  if (header.size > MAX_SPECIAL) {
    throw new FlattenError('LIMIT', `${what} of ${header.size} bytes: at most ${MAX_SPECIAL} are read`);
  }
  if (header.size < 0) throw new FlattenError('BAD_LAYER', `${what} has a negative size`);
  const bytes = window.at(body, header.size);
  if (bytes.length < header.size) throw new FlattenError('BAD_LAYER', `${what} is cut short`);
  return bytes;
}

/** Whether the archive ends at `position`: its last byte, two zero blocks, or one zero block that nothing follows. */
function isEnd(block: Buffer, position: number, window: Window): boolean {
  if (block.length === 0) return true;
  if (!isZero(block)) return false;
  const following = window.at(position + BLOCK, BLOCK);
  if (isZero(following)) return true;
  throw new FlattenError('BAD_LAYER', `a lone zero block at byte ${position}, with more after it`);
}

function isZero(block: Buffer): boolean {
  for (let i = 0; i < block.length; i++) if (block[i] !== 0) return false;
  return true;
}

function assemble(
  window: Window,
  header: Header,
  block: Buffer,
  body: number,
  pending: Pending,
  globals: readonly PaxRecord[],
): { entry: TarEntry; next: number } {
  const type = typeOf(header, pending);
  const records = pending.pax === undefined ? globals : [...globals, ...pending.pax];
  const pax = records.length === 0 ? undefined : paxFields(globals, pending.pax ?? []);
  const path = pax?.get('GNU.sparse.name') ?? pax?.get('path') ?? pending.name ?? header.name;
  const linkpath = pax?.get('linkpath') ?? pending.link ?? header.linkname;
  const isDevice = type === 'char' || type === 'block';
  const common = {
    path,
    type,
    linkpath: type === 'link' || type === 'symlink' ? linkpath : '',
    mode: header.mode & 0o7777,
    uid: id(pax?.get('uid'), header.uid, 'uid'),
    gid: id(pax?.get('gid'), header.gid, 'gid'),
    mtime: pax?.has('mtime') ? paxTime(pax.get('mtime')!, 'mtime') : BigInt(header.mtime) * 1_000_000_000n,
    major: isDevice ? device(pax, block, 'major') : 0,
    minor: isDevice ? device(pax, block, 'minor') : 0,
    xattrs: pax === undefined ? NO_XATTRS : paxXattrs(pax),
  };
  // Only files have a body; what other types say of their size is a hint (POSIX) that GNU tar and Go ignore too.
  if (type !== 'file') return { entry: { ...common, size: 0, offset: body }, next: body };

  const stored = pax?.has('size') ? paxNumber(pax.get('size')!, 'size') : header.size;
  if (stored < 0) throw new FlattenError('BAD_LAYER', 'size is negative');
  if (header.type === 'S' || hasSparseFields(pax)) {
    return sparse(window, header, block, body, stored, records, pax, common);
  }
  checkBody(window, body, stored);
  return { entry: { ...common, size: stored, offset: body }, next: body + padded(stored) };
}

function sparse(
  window: Window,
  header: Header,
  block: Buffer,
  body: number,
  stored: number,
  records: readonly PaxRecord[],
  pax: Map<string, string> | undefined,
  common: Omit<TarEntry, 'size' | 'offset' | 'segments'>,
): { entry: TarEntry; next: number } {
  let start = body;
  let map: SparseMap | undefined;
  if (header.type === 'S') {
    const old = oldGnuMap(Buffer.from(block), (index) => {
      const next = window.at(body + index * BLOCK, BLOCK);
      if (next.length < BLOCK) throw new FlattenError('BAD_LAYER', 'sparse map is cut short');
      return next;
    });
    map = old;
    start = body + old.blocks * BLOCK;
  } else {
    map = paxMap(records, pax!, (length) => window.at(body, Math.min(length, stored)));
  }
  checkBody(window, start, stored);
  const next = start + padded(stored);
  if (map === undefined) return { entry: { ...common, size: stored, offset: start }, next };
  const segments = checkedRuns(map, stored - map.mapBytes);
  const entry = { ...common, size: map.size, offset: start + map.mapBytes };
  return { entry: segments === undefined ? entry : { ...entry, segments }, next };
}

function hasSparseFields(pax: ReadonlyMap<string, string> | undefined): boolean {
  if (pax === undefined) return false;
  return pax.has('GNU.sparse.major') || pax.has('GNU.sparse.map') || pax.has('GNU.sparse.numblocks');
}

function typeOf(header: Header, pending: Pending): EntryType {
  const type = TYPES[header.type];
  if (type === undefined) {
    throw new FlattenError('BAD_LAYER', `entry type ${JSON.stringify(header.type)} is not known`);
  }
  const name = pending.name ?? header.name;
  const old = header.type === '\0' || header.dialect === 'v7';
  return type === 'file' && old && name.endsWith('/') ? 'directory' : type;
}

function id(pax: string | undefined, header: number, key: string): number {
  const value = pax === undefined ? header : paxNumber(pax, key);
  // The last value is what chown(2) takes for "leave it", so no file can have it.
  if (value < 0 || value >= 0xffffffff)
    throw new FlattenError('BAD_LAYER', `${key} ${value} does not fit 32 bits`);
  return value;
}

/** Large numbers come as base-256, or as star's and libarchive's SCHILY.devmajor and SCHILY.devminor. */
function device(
  pax: ReadonlyMap<string, string> | undefined,
  block: Buffer,
  part: 'major' | 'minor',
): number {
  const own = pax?.get(`SCHILY.dev${part}`);
  const value = own === undefined ? number(block, part) : paxNumber(own, `SCHILY.dev${part}`);
  const most = part === 'major' ? 0xfff : 0xfffff;
  if (value < 0 || value > most) {
    throw new FlattenError('BAD_LAYER', `device ${part} ${value}: Linux knows 0 to ${most}`);
  }
  return value;
}

function checkBody(window: Window, start: number, length: number): void {
  const missing = start + length - window.size;
  if (missing > 0)
    throw new FlattenError('BAD_LAYER', `the body is cut short: ${missing} of ${length} bytes are missing`);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function named<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FlattenError) || error.path !== undefined) throw error;
    throw new FlattenError(error.code, error.what, { path, cause: error });
  }
}

function located<T>(position: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof FlattenError)) throw error;
    throw new FlattenError(error.code, `${error.what} (at byte ${position})`, { cause: error });
  }
}

/** A stretch of the archive in memory, moved on as the scan goes. */
class Window {
  readonly size: number;
  readonly #source: TarSource;
  #buffer: Buffer;
  #start = 0;
  #filled = 0;

  constructor(source: TarSource, size: number) {
    this.#source = source;
    this.size = source.size;
    this.#buffer = Buffer.allocUnsafe(Math.max(size, BLOCK));
  }

  /** Up to `length` bytes at `position`, fewer only at the end; a view that the next call may overwrite. */
  at(position: number, length: number): Buffer {
    const end = Math.min(position + length, this.size);
    if (position >= end) return this.#buffer.subarray(0, 0);
    if (position < this.#start || end > this.#start + this.#filled) this.#fill(position, end - position);
    return this.#buffer.subarray(position - this.#start, end - this.#start);
  }

  #fill(position: number, needed: number): void {
    if (needed > this.#buffer.length) this.#buffer = Buffer.allocUnsafe(needed);
    this.#start = position;
    this.#filled = 0;
    while (this.#filled < needed) {
      const read = this.#source.read(this.#buffer.subarray(this.#filled), position + this.#filled);
      if (read === 0) throw new FlattenError('BAD_LAYER', 'the archive became shorter while it was read');
      this.#filled += read;
    }
  }
}
