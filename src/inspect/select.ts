import { FlattenError } from '../errors.js';
import { pathTest } from '../rootfs/glob.js';
import type { Directory } from '../rootfs/node.js';
import { components, lookup } from '../rootfs/path.js';
import { bytesOf } from '../rootfs/path-text.js';
import { type Visit, walk } from '../rootfs/walk.js';

/** A name that was asked for. */
export interface Selected extends Visit {
  /** Where it is once symlinks on the way were followed; latin1. */
  readonly place: string;
  /** A glob has found it: it is meant itself, and not what is in it. */
  readonly byGlob: boolean;
}

/** Whether a word has anything of a glob. */
export function isGlob(word: string): boolean {
  return /[*?[{]/.test(word);
}

/**
 * The names of a tree that words mean. A word is a path, as `etc/passwd` or `/etc/passwd`, or, if there is no such path, a glob. Symlinks on
 * the way to the last name are followed inside the tree; the last one only where a slash stands behind it. A glob's names come in the
 * order of the tree. Throws `NOT_FOUND` for a word that means nothing.
 */
export function* select(root: Directory, words: readonly string[]): Generator<Selected> {
  for (const word of words) {
    const bytes = bytesOf(word);
    const place: string[] = [];
    const node = lookup(root, bytes, { follow: bytes.endsWith('/'), place });
    if (node !== undefined) {
      yield { path: components(bytes).join('/'), place: place.join('/'), node, byGlob: false };
      continue;
    }
    let isIdle = true;
    for (const visit of isGlob(word) ? matching(root, word) : []) {
      isIdle = false;
      yield { ...visit, place: visit.path, byGlob: true };
    }
    if (isIdle) throw new FlattenError('NOT_FOUND', 'is not in the image', { path: bytes });
  }
}

function* matching(root: Directory, glob: string): Generator<Visit> {
  const isMeant = pathTest([glob]);
  for (const visit of walk(root)) if (visit.path !== '' && isMeant(visit.path)) yield visit;
}
