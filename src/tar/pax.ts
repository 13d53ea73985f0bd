import { FlattenError } from '../errors.js';

/** One `key=value` record of a PAX header; both are latin1 bytes. */
export type PaxRecord = readonly [key: string, value: string];

/** Records by key. */
export type PaxFields = ReadonlyMap<string, string>;

/**
 * Reads the records of an `x` or `g` body: `LENGTH KEY=VALUE\n`, where LENGTH counts itself (POSIX.1-2017 `pax`,
 * "pax Extended Header"). Order and repeats are kept, since `GNU.sparse` 0.0 needs them. Throws `BAD_LAYER`.
 */
export function parsePax(body: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  for (let at = 0; at < body.length; ) {
    const space = digitsEnd(body, at);
    if (space === at || body[space] !== 0x20) {
      // Some writers pad the body with NULs.
      if (body.subarray(at).every((byte) => byte === 0)) break;
      throw new FlattenError('BAD_LAYER', 'PAX record has no length');
    }
    const end = at + Number(body.toString('latin1', at, space));
    if (end > body.length) throw new FlattenError('BAD_LAYER', 'PAX record is cut short');
    if (end <= space + 1 || body[end - 1] !== 0x0a) {
      throw new FlattenError('BAD_LAYER', 'PAX record does not end where its length says');
    }
    const equals = body.indexOf(0x3d, space);
    if (equals === -1 || equals >= end || equals === space + 1) {
      throw new FlattenError('BAD_LAYER', 'PAX record has no key');
    }
    records.push([body.toString('latin1', space + 1, equals), body.toString('latin1', equals + 1, end - 1)]);
    at = end;
  }
  return records;
}

/** Where a run of at most eight digits ends. */
function digitsEnd(body: Buffer, start: number): number {
  let at = start;
  while (at < start + 8 && body[at]! >= 0x30 && body[at]! <= 0x39) at++;
  return at;
}

/** What PAX headers say of a member. */
export interface PaxSays {
  readonly fields: PaxFields;
  /** Keys that mean metadata nobody here takes; a few of them, for a report. */
  readonly unread: readonly string[];
}

export const NO_PAX: PaxSays = { fields: new Map(), unread: [] };

/** The keys that count: no value of another is kept, so that nobody can make many of them costly. */
const KNOWN =
  /^(?:(?:path|linkpath|size|uid|gid|mtime)$|SCHILY\.(?:xattr\.|dev(?:major|minor)$|acl\.(?:access|default)$)|LIBARCHIVE\.xattr\.|GNU\.sparse\.|RHT\.security\.selinux$|SUN\.dev(?:major|minor)$)/;

/**
 * Keys without which nothing is lost: of the archive and not the file; of the file, but kept by no file system that is
 * written anew (its inode's number, the times of the last look and of the last change, which no call can set); names of
 * owners, since numbers count; Windows's two kinds of symlinks.
 */
const BOOKKEEPING =
  /^(?:(?:atime|ctime|comment|charset|hdrcharset|uname|gname)$|GNU\.(?:dumpdir$|volume\.)|LIBARCHIVE\.symlinktype$|SCHILY\.(?:(?:archtype|ddev|dev|dir|filetype|ino|nlink|offset|realsize|release|tarfiletype)$|volhdr\.))/;

/** Keys that say where content lies, in a way that is not read: without it a file would be wrong. */
const MISREAD: Readonly<Record<string, string>> = {
  'GNU.volume.offset': 'it continues in another volume of its archive',
  'SUN.holesdata': 'a sparse file as Solaris stores it is not read',
};

/** The most keys of one member that a report tells of, and characters of each. */
const MAX_UNREAD = 8;
const MAX_KEY = 60;

/** What records say, the last of a key counting, with defaults beneath. An empty value takes a default back. Throws `BAD_LAYER`. */
export function paxSays(defaults: PaxSays, records: readonly PaxRecord[]): PaxSays {
  const fields = new Map(defaults.fields);
  let { unread } = defaults;
  for (const [key, value] of records) {
    if (value === '' && !key.startsWith(RAW)) fields.delete(key);
    else if (KNOWN.test(key)) fields.set(key, value);
    else if (Object.hasOwn(MISREAD, key)) throw new FlattenError('BAD_LAYER', `PAX ${key}: ${MISREAD[key]}`);
    else if (!BOOKKEEPING.test(key)) unread = withKey(unread, key);
  }
  return { fields, unread };
}

function withKey(unread: readonly string[], key: string): readonly string[] {
  const shown = key.length > MAX_KEY ? `${key.slice(0, MAX_KEY)}…` : key;
  return unread.length >= MAX_UNREAD || unread.includes(shown) ? unread : [...unread, shown];
}

/** A non-negative whole number, in decimal. */
export function paxNumber(value: string, key: string): number {
  const number = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw new FlattenError('BAD_LAYER', `PAX ${key} is no number: ${JSON.stringify(value.slice(0, 40))}`);
  }
  return number;
}

/** A whole number that may be negative, in decimal. */
export function paxInteger(value: string, key: string): number {
  return value.startsWith('-') ? -paxNumber(value.slice(1), key) : paxNumber(value, key);
}

/** Seconds with sign and fraction, as nanoseconds; digits past the ninth are dropped. */
export function paxTime(value: string, key: string): bigint {
  const match = /^([+-]?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value);
  if (match === null) {
    throw new FlattenError('BAD_LAYER', `PAX ${key} is no time: ${JSON.stringify(value.slice(0, 40))}`);
  }
  const fraction = (match[3] ?? '').slice(0, 9).padEnd(9, '0');
  const nanoseconds = BigInt(match[2]! + fraction);
  return match[1] === '-' ? -nanoseconds : nanoseconds;
}

const RAW = 'SCHILY.xattr.';
const SELINUX = 'security.selinux';
const ENCODED = 'LIBARCHIVE.xattr.';
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/**
 * The extended attributes among the fields: `SCHILY.xattr.NAME` holds raw bytes (star, GNU tar, Go),
 * `LIBARCHIVE.xattr.NAME` a percent-encoded name and a base64 value; where both are there the raw one counts. GNU tar's
 * `RHT.security.selinux` is text, which libselinux ends with a NUL when it sets the xattr; it counts least.
 */
export function paxXattrs(fields: PaxFields): ReadonlyMap<string, Buffer> {
  let xattrs: Map<string, Buffer> | undefined;
  const context = fields.get('RHT.security.selinux')?.replace(/\0+$/, '');
  if (context) xattrs = new Map([[SELINUX, Buffer.from(`${context}\0`, 'latin1')]]);
  for (const [key, value] of fields) {
    if (!key.startsWith(ENCODED)) continue;
    xattrs ??= new Map();
    xattrs.set(percentDecode(key.slice(ENCODED.length)), Buffer.from(value, 'base64'));
  }
  for (const [key, value] of fields) {
    if (!key.startsWith(RAW)) continue;
    xattrs ??= new Map();
    xattrs.set(unescaped(key.slice(RAW.length)), Buffer.from(value, 'latin1'));
  }
  if (xattrs === undefined) return NO_XATTRS;
  for (const name of xattrs.keys()) {
    if (name === '' || name.includes('\0'))
      throw new FlattenError('BAD_LAYER', 'an xattr has an impossible name');
  }
  return xattrs;
}

/** GNU tar writes `=`, which would end the key, as `%3D`, and so `%3D` and `%25` themselves as `%253D` and `%2525`. */
function unescaped(name: string): string {
  return name.replace(/%(3D|25)/g, (_, digits: string) => (digits === '25' ? '%' : '='));
}

function percentDecode(name: string): string {
  return name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
