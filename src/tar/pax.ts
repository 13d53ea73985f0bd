import { FlattenError } from '../errors.js';

/** One `key=value` record of a PAX header; both are latin1 bytes. */
export type PaxRecord = readonly [key: string, value: string];

/**
 * Reads the records of an `x` or `g` body: `LENGTH KEY=VALUE\n`, where LENGTH counts itself (POSIX.1-2017 `pax`,
 * "pax Extended Header"). Order and repeats are kept, since `GNU.sparse` 0.0 needs them. Throws `BAD_LAYER`.
 */
export function parsePax(body: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(0x20, at);
    const digits = space === -1 ? '' : body.toString('latin1', at, space);
    if (!/^[0-9]{1,8}$/.test(digits)) {
      // Some writers pad the body with NULs.
      if (body.subarray(at).every((byte) => byte === 0)) break;
      throw new FlattenError('BAD_LAYER', 'PAX record has no length');
    }
    const end = at + Number(digits);
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

/** What an entry's PAX headers say, global defaults beneath its own. An empty value takes a global default back. */
export function paxFields(globals: readonly PaxRecord[], own: readonly PaxRecord[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, value] of globals) fields.set(key, value);
  for (const [key, value] of own) fields.set(key, value);
  for (const [key, value] of fields) if (value === '' && !key.startsWith('SCHILY.xattr.')) fields.delete(key);
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

/**
 * The extended attributes among the fields: `SCHILY.xattr.NAME` holds raw bytes (star, GNU tar, Go),
 * `LIBARCHIVE.xattr.NAME` a percent-encoded name and a base64 value; where both are there the raw one counts.
 */
export function paxXattrs(fields: ReadonlyMap<string, string>): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of fields) {
    if (key.startsWith(ENCODED)) {
      xattrs.set(percentDecode(key.slice(ENCODED.length)), Buffer.from(value, 'base64'));
    }
  }
  for (const [key, value] of fields) {
    if (key.startsWith(RAW)) xattrs.set(key.slice(RAW.length), Buffer.from(value, 'latin1'));
  }
  for (const name of xattrs.keys()) {
    if (name === '' || name.includes('\0'))
      throw new FlattenError('BAD_LAYER', 'an xattr has an impossible name');
  }
  return xattrs;
}

function percentDecode(name: string): string {
  return name.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
