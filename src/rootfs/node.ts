/**
 * The tree of inodes that every sink writes. Pure data: nothing here touches a disk.
 *
 * Names, targets and xattr names are bytes, kept as latin1 ("binary") strings, one character a byte; make a Buffer
 * of them (`Buffer.from(name, 'latin1')`) at every system call.
 */
export interface Metadata {
  /** Permission bits with setuid, setgid and sticky: 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970; may be negative. */
  readonly mtime: bigint;
  readonly xattrs: ReadonlyMap<string, Buffer>;
  /** What the archive says of the inode and no tree holds: a report tells of it. Absent: nothing. */
  readonly unread?: readonly Unread[];
}

/** Something that is not taken from an archive, and why. */
export interface Unread {
  /** `ACL`, or the key of a PAX record. */
  readonly kind: string;
  readonly reason: string;
}

/** An open, seekable, uncompressed file that content lies in. */
export interface LayerFile {
  /** Rises with the order in which content is best read. */
  readonly order: number;
  /** A file descriptor of this process, or the path (latin1) of a host file to open for reading. */
  readonly file: number | string;
}

/** A run of stored bytes: `length` bytes of the file from `start`. What no run covers reads as zeros. */
export interface Segment {
  readonly start: number;
  readonly length: number;
  /** Where the run lies in its file. Absent: right after the run before it. */
  readonly at?: number;
}

/** A file's bytes, never held in memory. */
export interface Content {
  readonly layer: LayerFile;
  /** Where the stored bytes begin in the layer file. */
  readonly offset: number;
  /** The file's size as a reader sees it. */
  readonly size: number;
  /** A sparse file: its runs in rising order, stored one after another from `offset`. Absent: all `size` bytes are stored. */
  readonly segments?: readonly Segment[];
}

/** What every inode has. `nlink` is right in a finished {@link Rootfs} only: the names an inode has in it. */
interface Inode {
  meta: Metadata;
  nlink: number;
}

export interface Directory extends Inode {
  readonly kind: 'directory';
  readonly children: Map<string, Node>;
}
export interface File extends Inode {
  readonly kind: 'file';
  readonly content: Content;
}
export interface Symlink extends Inode {
  readonly kind: 'symlink';
  readonly target: string;
}
export interface Device extends Inode {
  readonly kind: 'char' | 'block';
  readonly major: number;
  readonly minor: number;
}
export interface Fifo extends Inode {
  readonly kind: 'fifo';
}

/** An inode. Two names of one inode are one object. */
export type Node = Directory | File | Symlink | Device | Fifo;

/** The finished tree, with its totals. */
export interface Rootfs {
  readonly root: Directory;
  /** Names, the root included. */
  readonly entries: number;
  /** Inodes, the root included: names less the further names of hard links. */
  readonly inodes: number;
  /** Sum of the sizes of all files, each inode once. */
  readonly bytes: number;
  /** How many of these bytes are in holes of sparse files, and stored nowhere. Default 0. */
  readonly holes?: number;
}

export const NO_XATTRS: ReadonlyMap<string, Buffer> = new Map();

/** What a directory that nobody described looks like (layer-rules: 0755 0:0, mtime 0). */
export const IMPLIED: Metadata = { mode: 0o755, uid: 0, gid: 0, mtime: 0n, xattrs: NO_XATTRS };

export function directory(meta: Metadata = IMPLIED): Directory {
  return { kind: 'directory', meta, nlink: 0, children: new Map() };
}
