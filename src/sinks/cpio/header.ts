/** What stands in front of a member's content; all numbers have 32 bits. */
export interface NewcMember {
  readonly ino: number;
  /** With the bits of the type. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Bytes of the body. */
  readonly size: number;
  /** Latin1. */
  readonly name: string;
  /** Of a device. */
  readonly major?: number;
  readonly minor?: number;
  /** A body that is written here; latin1. Default: none. */
  readonly body?: string;
}

const MAGIC = '070701';
const FIXED = 110;

/** The header of a `newc` member, its name, and a body that is given, each padded to 4 bytes. */
export function newcHeader(member: NewcMember): Buffer {
  const { ino, mode, uid, gid, nlink, mtime, size, name, major = 0, minor = 0, body = '' } = member;
  const nameSize = name.length + 1;
  // Behind the size come the device that the file lies on, the device that it is, and, at the end, a checksum of another form.
  const numbers = [ino, mode, uid, gid, nlink, mtime, size, 0, 0, major, minor, nameSize, 0];
  const start = padded(FIXED + nameSize);
  const bytes = Buffer.alloc(start + padded(body.length));
  bytes.write(MAGIC + numbers.map((number) => number.toString(16).padStart(8, '0')).join(''), 'latin1');
  bytes.write(name, FIXED, 'latin1');
  bytes.write(body, start, 'latin1');
  return bytes;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
