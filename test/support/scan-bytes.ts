import type { TarEntry } from '../../src/tar/entry.js';
import { scanTar } from '../../src/tar/scan.js';
import { type Row, sha256 } from './listing.js';

/** How {@link scanBytes} reads. */
export interface ScanBytesOptions {
  readonly window?: number;
  /** Bytes that a read gives at most. */
  readonly readSize?: number;
}

/** The members of an archive in memory, as our scanner has them. */
export function scanBytes(tar: Buffer, options: ScanBytesOptions = {}): TarEntry[] {
  const { window, readSize = Number.POSITIVE_INFINITY } = options;
  const read = (target: Uint8Array, at: number) =>
    tar.copy(target, 0, at, Math.min(tar.length, at + readSize));
  return [...scanTar({ size: tar.length, read }, window === undefined ? {} : { window })];
}

/** A file's content, holes as zeros. */
export function contentOf(tar: Buffer, { offset, size, segments }: TarEntry): Buffer {
  if (segments === undefined) return tar.subarray(offset, offset + size);
  const content = Buffer.alloc(size);
  let stored = offset;
  for (const { start, length } of segments) {
    tar.copy(content, start, stored, stored + length);
    stored += length;
  }
  return content;
}

const KINDS = { file: 'f', symlink: 'l', char: 'c', block: 'b', directory: 'd', fifo: 'p' } as const;

/** The names in an archive that holds each one once, and a hard link after its target. */
export function rowsOf(tar: Buffer): Row[] {
  const rows = new Map<string, Row>();
  for (const entry of scanBytes(tar)) {
    const path = plain(entry.path);
    if (entry.type === 'link') {
      const first = rows.get(plain(entry.linkpath))!;
      const row = { ...first, group: first.group ?? first.path };
      rows.set(first.path, row).set(path, { ...row, path });
    } else rows.set(path, rowOf(tar, path, entry, KINDS[entry.type]));
  }
  return [...rows.values()];
}

function rowOf(tar: Buffer, path: string, entry: TarEntry, kind: Row['kind']): Row {
  const { mode, uid, gid, mtime, xattrs, size, linkpath, major, minor } = entry;
  return {
    path,
    kind,
    mode,
    uid,
    gid,
    mtime,
    xattrs,
    ...(kind === 'f' && { size, sha256: sha256(contentOf(tar, entry)) }),
    ...(kind === 'l' && { target: linkpath }),
    ...((kind === 'c' || kind === 'b') && { device: `${major}:${minor}` }),
  };
}

function plain(path: string): string {
  return path.replace(/^\.\/+|\/+$/g, '') || '.';
}
