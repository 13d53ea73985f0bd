import { ACL_XATTRS, aclText } from './acl.js';
import type { PaxRecord } from './pax.js';
import { ACL_KEYS } from './pax-acls.js';
import { fitsOctal, inSeconds } from './write-ustar.js';
import type { Member } from './written-member.js';

/**
 * The records that a member needs beside its ustar header, sorted by key. `size` is that of its body in the archive;
 * `realSize` that of the file if the body is GNU.sparse 1.0; `names` are those too long for ustar.
 */
export function paxRecords(
  member: Member,
  size: number,
  realSize: number | undefined,
  names: readonly PaxRecord[],
): PaxRecord[] {
  const records = [...names];
  for (const key of ['uid', 'gid'] as const) {
    if (!fitsOctal(key, member[key])) records.push([key, String(member[key])]);
  }
  if (!fitsOctal('size', size)) records.push(['size', String(size)]);
  const { seconds, isWhole } = inSeconds(member.mtime);
  if (!isWhole || !fitsOctal('mtime', seconds)) {
    records.push(['mtime', decimalSeconds(member.mtime)]);
  }
  for (const [name, value] of member.xattrs) records.push([xattrKey(name), value.toString('latin1')]);
  if (member.hasAclText && member.xattrs.size > 0) records.push(...aclRecords(member.xattrs));
  if (realSize !== undefined) {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0']);
    records.push(['GNU.sparse.realsize', String(realSize)]);
  }
  return records.length < 2 ? records : records.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** ACLs as `tar --acls` and bsdtar take them. */
function aclRecords(xattrs: Member['xattrs']): PaxRecord[] {
  return (['access', 'default'] as const).flatMap((kind): PaxRecord[] => {
    const acl = xattrs.get(ACL_XATTRS[kind]);
    const text = acl && aclText(acl);
    return text === undefined ? [] : [[ACL_KEYS[kind], text]];
  });
}

/** The body of an `x` header: `LENGTH KEY=VALUE\n` for each record, where LENGTH counts itself. */
export function encodePax(records: readonly PaxRecord[]): Buffer {
  let body = '';
  for (const [key, value] of records) {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length + 1;
    while (String(length).length + rest.length > length) length++;
    body += length + rest;
  }
  return Buffer.from(body, 'latin1');
}

/** Seconds with sign and fraction, exact to the nanosecond: `-1.5`. */
function decimalSeconds(mtime: bigint): string {
  const digits = String(mtime < 0n ? -mtime : mtime).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return `${mtime < 0n ? '-' : ''}${digits.slice(0, -9)}${fraction && '.'}${fraction}`;
}

/**
 * An xattr's key, with its value as raw bytes. A PAX key ends at the first `=`, so GNU tar (1.30 on) writes `%3D` for
 * one in a name and takes `%3D` and `%25` back; other `%` mean themselves, so most names are the same to every reader.
 */
function xattrKey(name: string): string {
  return `SCHILY.xattr.${name.replace(/%(?=3D|25)/g, '%25').replaceAll('=', '%3D')}`;
}
