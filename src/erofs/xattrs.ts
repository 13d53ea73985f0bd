/**
 * Extended attributes, which follow their inode. ACLs are stored as the system call has them.
 * Source: Linux, fs/erofs/erofs_fs.h (`erofs_xattr_ibody_header`, `erofs_xattr_entry`) and fs/erofs/xattr.h.
 */
export const HEADER = 12;
export const ENTRY = 4;
const MAX_NAME = 255;
export const MAX_VALUE = 0xffff;
/** The inode counts them in units of four bytes, in 16 bits. */
export const MAX_XATTR_BYTES = HEADER + (0xffff - 1) * 4;

/** Name prefixes and the index that stands for each. */
export const PREFIXES: readonly (readonly [string, number])[] = [
  ['user.', 1],
  ['system.posix_acl_access', 2],
  ['system.posix_acl_default', 3],
  ['trusted.', 4],
  ['security.', 6],
];

/** An attribute in its on-disk form. */
interface StoredXattr {
  readonly index: number;
  /** Without the prefix; latin1. */
  readonly name: string;
  readonly value: Buffer;
}

/** Bytes of an entry with a name and a value of such lengths. */
export const entrySize = (name: number, value: number) => (ENTRY + name + value + 3) & ~3;

/** Brings attributes into their on-disk form, in the order of their names. What the format has no place for goes to `lose`, with the reason. */
export function storedXattrs(
  xattrs: ReadonlyMap<string, Buffer>,
  lose: (reason: string) => void = () => {},
): StoredXattr[] {
  const stored: StoredXattr[] = [];
  for (const name of [...xattrs.keys()].sort()) {
    const result = toStored(name, xattrs.get(name)!);
    if (typeof result === 'string') lose(result);
    else stored.push(result);
  }
  return stored;
}

function toStored(name: string, value: Buffer): StoredXattr | string {
  const [start, index] = PREFIXES.find(([prefix]) => name.startsWith(prefix)) ?? [];
  if (start === undefined || index === undefined) return `erofs has no xattr namespace for ${name}`;
  const rest = name.slice(start.length);
  if (start.startsWith('system.')) {
    if (rest !== '') return `erofs has no xattr namespace for ${name}`;
    return isAcl(value) ? { index, name: '', value } : `${name} is no ACL that Linux takes`;
  }
  if (rest === '' || name.length > MAX_NAME || name.includes('\0'))
    return `${name} is no xattr name that Linux takes`;
  return { index, name: rest, value };
}

const ACL_VERSION = 2;
const ACL_TAGS = new Set([0x01, 0x02, 0x04, 0x08, 0x10, 0x20]);

/** What Linux would refuse to set it would refuse to read as well, and with it every access to the file. */
function isAcl(value: Buffer): boolean {
  if (value.length < 4 || value.readUInt32LE(0) !== ACL_VERSION || value.length % 8 !== 4) return false;
  for (let at = 4; at < value.length; at += 8) if (!ACL_TAGS.has(value.readUInt16LE(at))) return false;
  return true;
}

/** Bytes that attributes take behind their inode; none, none. */
export function xattrsSize(xattrs: readonly StoredXattr[]): number {
  if (xattrs.length === 0) return 0;
  return xattrs.reduce((sum, { name, value }) => sum + entrySize(name.length, value.length), HEADER);
}

/** What the inode's `i_xattr_icount` says for so many bytes. */
export function xattrCount(bytes: number): number {
  return bytes === 0 ? 0 : (bytes - HEADER) / 4 + 1;
}

/** Bytes that so high an `i_xattr_icount` stands for. */
export function xattrBytesOf(count: number): number {
  return count === 0 ? 0 : HEADER + (count - 1) * 4;
}

/** Writes attributes into zeroed bytes. */
export function writeXattrs(into: Buffer, xattrs: readonly StoredXattr[]): void {
  let at = HEADER;
  for (const { index, name, value } of xattrs) {
    into[at] = name.length;
    into[at + 1] = index;
    into.writeUInt16LE(value.length, at + 2);
    into.write(name, at + ENTRY, 'latin1');
    value.copy(into, at + ENTRY + name.length);
    at += entrySize(name.length, value.length);
  }
}
