import type { Limits } from '../context.js';
import type { TarEntry } from './entry.js';

/**
 * What an xattr, a run of a sparse file, or an entry of an ACL that waits for numbers takes in memory besides its own bytes.
 * Measured: a run takes 64 bytes in the tree, and up to 400 with those that a disk image takes.
 */
const OVERHEAD = { xattr: 256, run: 320, named: 128 };

/**
 * The most bytes that the headers of an image with so many entries may take, names, xattrs and sparse maps with them:
 * what is parsed, and mostly held in memory.
 */
export function maxMetadata({ maxEntries }: Limits): number {
  return 64 * 2 ** 20 + 256 * maxEntries;
}

/** What an entry's headers take in memory, about, beyond what each takes. */
export function metadataOf(entry: TarEntry): number {
  const { path, linkpath, headerBytes = 0, xattrs, segments, namedAcls = [] } = entry;
  let bytes = Math.max(headerBytes, path.length + linkpath.length);
  if (segments !== undefined) bytes += segments.length * OVERHEAD.run;
  for (const { entries } of namedAcls) bytes += entries.length * OVERHEAD.named;
  if (xattrs.size > 0) {
    for (const [name, value] of xattrs) bytes += name.length + value.length + OVERHEAD.xattr;
  }
  return bytes;
}
