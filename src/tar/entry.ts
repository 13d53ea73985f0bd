import type { AclEntry } from './acl.js';

/** What kind of entry a tar header announces. */
export type EntryType = 'file' | 'link' | 'symlink' | 'char' | 'block' | 'directory' | 'fifo';

/** Something that the headers say and an entry does not hold, and why. */
export interface NotRead {
  /** `ACL`, or the key of a PAX record. */
  readonly kind: string;
  readonly reason: string;
}

/** An ACL that names somebody without a number: no xattr can hold it before somebody knows who that is. */
export interface NamedAcl {
  /** The xattr that it will be. */
  readonly xattr: string;
  readonly entries: readonly AclEntry[];
  /** The entry's xattrs, which it will be put into. */
  readonly into: Map<string, Buffer>;
}

/** One member of a tar archive, with everything its headers say and where its bytes lie. Text is latin1: one character a byte. */
export interface TarEntry {
  /** As stored: not normalised, may be hostile. */
  readonly path: string;
  readonly type: EntryType;
  /** The target of a hard link or symlink, else `''`. */
  readonly linkpath: string;
  /** 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970; may be negative. */
  readonly mtime: bigint;
  /** The file's size as a reader sees it; 0 for everything but files. */
  readonly size: number;
  readonly major: number;
  readonly minor: number;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** ACLs to come beside the xattrs. Absent: none. */
  readonly namedAcls?: readonly NamedAcl[];
  /** What the headers say and this does not hold. Absent: nothing. */
  readonly unread?: readonly NotRead[];
  /** Where the stored bytes begin: from the archive's first byte, or, where it lies in a larger file, from that file's. */
  readonly offset: number;
  /** Bytes of its PAX records, long names and sparse map. Absent where no archive holds it. */
  readonly headerBytes?: number;
  /** A sparse file: runs of stored bytes in rising order; the bytes of all runs lie one after another from `offset`. */
  readonly segments?: readonly { readonly start: number; readonly length: number }[];
}
