import type { File } from '../rootfs/node.js';
import { splitLast } from '../rootfs/path.js';
import { eachName } from '../rootfs/walk.js';
import type { Carried, Lost } from './carried.js';
import type { History } from './history.js';
import { isRemoval } from './touch.js';

/**
 * Why bytes of a layer do not show:
 * - `overwritten`: another inode took the name, or a later entry of the same layer;
 * - `removed`: a whiteout or an opaque marker took it away, and the layer that did so put nothing in its place;
 * - `metadata`: as `overwritten`, and the new file is the same but for its metadata: a change of owner or mode that copied the content;
 * - `bookkeeping`: they belong to a marker, or to what AUFS keeps for itself.
 */
export type Why = 'overwritten' | 'removed' | 'metadata' | 'bookkeeping';

/** A file whose bytes a layer carries, and the tree does not show. */
export interface Hidden {
  /** The name that it had last; latin1. */
  readonly path: string;
  /** The layer that carries it, counted from 1. */
  readonly layer: number;
  /** Stored bytes, without holes. */
  readonly bytes: number;
  readonly why: Why;
  /** The layer that hid it. */
  readonly by: number;
  /** Where it did so: the path, or a directory above it; latin1. */
  readonly at: string;
  /** The file, and the one that took its name, where there are such. */
  readonly file?: File;
  readonly instead?: File;
}

/** Whether one file is another one but for its metadata. */
export type SameFile = (before: File, after: File) => boolean;

/**
 * Told by headers alone: the size is the same, and the time. Copying a file up to change its owner or mode keeps its time; files that are built anew
 * have another one as a rule, but not where a build sets all times.
 */
const sameByHeaders: SameFile = (before, after) =>
  before.content.size === after.content.size && before.meta.mtime === after.meta.mtime;

/**
 * All that an image's layers carry and its tree does not show. Together with the tree's own bytes, less its holes, these are all bytes of the layers'
 * files: each file of a layer either shows or is here.
 */
export function* hiddenFiles(history: History, sameFile: SameFile = sameByHeaders): Generator<Hidden> {
  const shown = new Set<File>();
  eachName(history.tree.rootfs.root, (node) => {
    if (node.kind === 'file') shown.add(node);
  });
  for (const carried of history.carried)
    if (!shown.has(carried.file)) yield hiddenFile(history, carried, sameFile);
  for (const lost of history.lost) yield lostFile(lost);
}

function hiddenFile(history: History, { file, layer, bytes, taken }: Carried, sameFile: SameFile): Hidden {
  const { touch, path } = taken!; // an inode that does not show has lost its last name
  const { layer: by, at } = touch;
  const usual = { path, layer, bytes, by, at, file };
  const next = isRemoval(touch) ? history.placed(path, by) : touch.node;
  if (next === undefined && isRemoval(touch) && touch.act !== 'covered') return { ...usual, why: 'removed' };
  if (next?.kind !== 'file') return { ...usual, why: 'overwritten' };
  return { ...usual, instead: next, why: sameFile(file, next) ? 'metadata' : 'overwritten' };
}

function lostFile({ layer, path, bytes }: Lost): Hidden {
  const name = splitLast(path)[1];
  const isMarker = name.startsWith('.wh.') || /^[./]*\.wh\.\.wh\./.test(path);
  return { path, layer, bytes, by: layer, at: path, why: isMarker ? 'bookkeeping' : 'overwritten' };
}
