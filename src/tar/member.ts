import { FlattenError, printable } from '../errors.js';
import type { EntryType, TarEntry } from './entry.js';
import { BLOCK, type Header, padded } from './header.js';
import {
  type PaxFields,
  type PaxRecord,
  type PaxSays,
  paxInteger,
  paxNumber,
  paxSays,
  paxTime,
  paxXattrs,
} from './pax.js';
import { hasAcls, paxAcls } from './pax-acls.js';
import { checkedRuns, oldGnuMap, paxMap } from './sparse.js';
import type { Window } from './window.js';

/** What the headers before a member say of it. */
export interface Preface {
  /** Defaults of global PAX headers. */
  readonly globals: PaxSays;
  /** How many there are, and the bytes of their bodies. */
  readonly count: number;
  readonly bytes: number;
  /** GNU's long name and long link name. */
  readonly name: string | undefined;
  readonly link: string | undefined;
  readonly pax: readonly PaxRecord[] | undefined;
}

/** Bytes of a name that an error shows: it may have a million. */
const MAX_SHOWN = 4095;

const IDS = 2 ** 32;

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

/** The member whose header is at `position`, and where the next one begins. Errors name it. */
export function memberAt(
  window: Window,
  position: number,
  header: Header,
  preface: Preface,
): { entry: TarEntry; next: number } {
  try {
    return assemble(window, position, header, preface);
  } catch (error) {
    if (!(error instanceof FlattenError) || error.path !== undefined) throw error;
    const path = preface.name ?? header.name;
    const shown = path.length > MAX_SHOWN ? `${path.slice(0, MAX_SHOWN)}…` : path;
    throw new FlattenError(error.code, error.what, { path: shown, cause: error });
  }
}

function assemble(window: Window, position: number, header: Header, preface: Preface) {
  const { globals, pax: records } = preface;
  const { fields, unread: keys } = records === undefined ? globals : paxSays(globals, records);
  const pax = fields.size === 0 ? undefined : fields;
  const path = pax?.get('GNU.sparse.name') ?? pax?.get('path') ?? preface.name ?? header.name;
  const type = typeOf(header, path);
  const isLink = type === 'link' || type === 'symlink';
  const isDevice = type === 'char' || type === 'block';
  // Only files have a body; what other types say of their size is a hint (POSIX) that GNU tar and Go ignore too.
  const body =
    type === 'file' ? bodyAt(window, position, header, records ?? [], pax) : noBody(position + BLOCK);
  const entry: TarEntry = {
    path,
    type,
    linkpath: isLink ? (pax?.get('linkpath') ?? preface.link ?? header.linkname) : '',
    mode: header.mode & 0o7777,
    uid: id(pax?.get('uid'), header.uid, 'uid'),
    gid: id(pax?.get('gid'), header.gid, 'gid'),
    mtime: mtimeOf(pax, header),
    size: body.size,
    major: isDevice
      ? device(pax?.get('SCHILY.devmajor') ?? pax?.get('SUN.devmajor'), header.major, 'major', 0xfff)
      : 0,
    minor: isDevice
      ? device(pax?.get('SCHILY.devminor') ?? pax?.get('SUN.devminor'), header.minor, 'minor', 0xfffff)
      : 0,
    xattrs: paxXattrs(fields),
    offset: window.origin + body.offset,
    headerBytes: preface.bytes + body.mapBytes,
  };
  const { segments, next } = body;
  const whole = segments === undefined ? entry : { ...entry, segments };
  return { entry: keys.length === 0 && !hasAcls(fields) ? whole : withRest(whole, fields, keys), next };
}

/** The entry with what few have: ACLs that are no xattrs, and keys that nobody takes. */
function withRest(entry: TarEntry, fields: PaxFields, keys: readonly string[]): TarEntry {
  const acls = paxAcls(entry, fields);
  const reason = 'flatten takes nothing from this PAX record';
  const unread = [...keys.map((key) => ({ kind: printable(key), reason })), ...acls.unread];
  return { ...entry, ...acls.entry, ...(unread.length > 0 && { unread }) };
}

/** Old archives mark a directory by a slash at the end of its name alone. */
function typeOf(header: Header, path: string): EntryType {
  const type = TYPES[header.type];
  if (type === undefined) {
    const what = header.type === 'M' ? 'it continues in another volume of its archive' : 'not known';
    throw new FlattenError('BAD_LAYER', `entry type ${JSON.stringify(header.type)}: ${what}`);
  }
  const isOld = header.type === '\0' || header.dialect === 'v7';
  return isOld && type === 'file' && path.endsWith('/') ? 'directory' : type;
}

/**
 * An owner, wrapped to 32 bits: so are -2 and the like to all who hand the number to chown(2) (Go, libarchive). The last
 * value means "leave it" to chown(2), so a file that has it stays with who unpacks it, which is root.
 */
function id(pax: string | undefined, header: number, key: string): number {
  const value = pax === undefined ? header : paxInteger(pax, key);
  if (value >= 0 && value < IDS - 1) return value;
  const wrapped = ((value % IDS) + IDS) % IDS;
  return wrapped === IDS - 1 ? 0 : wrapped;
}

let last = { seconds: 0, mtime: 0n };

/** Neighbours mostly agree: then they share one bigint. */
function mtimeOf(pax: PaxFields | undefined, { mtime: seconds }: Header): bigint {
  const own = pax?.get('mtime');
  if (own !== undefined) return paxTime(own, 'mtime');
  if (seconds !== last.seconds) last = { seconds, mtime: BigInt(seconds) * 1_000_000_000n };
  return last.mtime;
}

/** Large numbers come as base-256, or as star's and libarchive's SCHILY.devmajor and SCHILY.devminor. */
function device(pax: string | undefined, header: number, part: 'major' | 'minor', most: number): number {
  const value = pax === undefined ? header : paxNumber(pax, `SCHILY.dev${part}`);
  if (value < 0 || value > most) {
    throw new FlattenError('BAD_LAYER', `device ${part} ${value}: Linux knows 0 to ${most}`);
  }
  return value;
}

/** Where a member's bytes lie. */
interface Body extends Pick<TarEntry, 'size' | 'offset'> {
  readonly segments: TarEntry['segments'] | undefined;
  /** Bytes that a sparse map takes in front of them. */
  readonly mapBytes: number;
  /** The next header. */
  readonly next: number;
}

function noBody(offset: number): Body {
  return { size: 0, offset, segments: undefined, mapBytes: 0, next: offset };
}

function bodyAt(
  window: Window,
  position: number,
  header: Header,
  records: readonly PaxRecord[],
  pax: PaxFields | undefined,
): Body {
  const start = position + BLOCK;
  const size = pax?.get('size');
  const stored = size === undefined ? header.size : paxNumber(size, 'size');
  if (stored < 0) throw new FlattenError('BAD_LAYER', 'size is negative');
  const isOldGnu = header.type === 'S';
  const map = isOldGnu
    ? oldGnuMap(Buffer.from(window.at(position, BLOCK)), (index) => mapBlock(window, start + index * BLOCK))
    : pax && paxMap(records, pax, (length) => window.at(start, Math.min(length, stored)));
  // The old map stands in front of the body, the map of GNU.sparse 1.0 is its first part.
  const whole = isOldGnu ? stored + map!.mapBytes : stored;
  const missing = start + whole - window.size;
  if (missing > 0)
    throw new FlattenError('BAD_LAYER', `the body is cut short: ${missing} of ${whole} bytes are missing`);
  const next = start + padded(whole);
  if (map === undefined) return { size: stored, offset: start, segments: undefined, mapBytes: 0, next };
  const { size: real, mapBytes } = map;
  return {
    size: real,
    offset: start + mapBytes,
    segments: checkedRuns(map, whole - mapBytes),
    mapBytes,
    next,
  };
}

function mapBlock(window: Window, position: number): Buffer {
  const block = window.at(position, BLOCK);
  if (block.length < BLOCK) throw new FlattenError('BAD_LAYER', 'sparse map is cut short');
  return block;
}
