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

/** The keys that count: no other is kept, so that nobody can make many of them costly. */
const KNOWN =
  /^(?:(?:path|linkpath|size|uid|gid|mtime)$|SCHILY\.(?:xattr\.|dev)|LIBARCHIVE\.xattr\.|GNU\.sparse\.)/;

/** What records say, the last of a key counting, with defaults beneath. An empty value takes a default back. */
export function paxFields(defaults: PaxFields, records: readonly PaxRecord[]): PaxFields {
  const fields = new Map(defaults);
  for (const [key, value] of records) {
    if (value === '' && !key.startsWith(RAW)) fields.delete(key);
    else if (KNOWN.test(key)) fields.set(key, value);
  }
  return fields;
}

/** A non-negative whole number, in decimal. */
export function paxNumber(value: string, key: string): number {
  const number = /^[0-9]+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number)) {
    throw new FlattenError('BAD_LAYER', `PAX ${key} is no number: ${JSON.stringify(value.slice(0, 40))}`);
  }
  return number;
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
const ENCODED = 'LIBARCHIVE.xattr.';
const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/**
 * The extended attributes among the fields: `SCHILY.xattr.NAME` holds raw bytes (star, GNU tar, Go),
 * `LIBARCHIVE.xattr.NAME` a percent-encoded name and a base64 value; where both are there the raw one counts.
 */
export function paxXattrs(fields: PaxFields): ReadonlyMap<string, Buffer> {
  let xattrs: Map<string, Buffer> | undefined;
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
