import { FlattenError, printable } from '../errors.js';
import type { Directory, File } from '../rootfs/node.js';
import { lookup } from '../rootfs/path.js';
import { select } from './select.js';

/** A file that was asked for. */
export interface SelectedFile {
  /** As it was asked for; latin1. */
  readonly path: string;
  readonly node: File;
}

/**
 * The files of a tree that words mean, as {@link select} has them, but symlinks are followed. A glob means the files among what it finds. Throws `NOT_FOUND`
 * for a word that means no file, before the first is given.
 */
export function selectFiles(root: Directory, words: readonly string[]): SelectedFile[] {
  return words.flatMap((word) => {
    const found = [...select(root, [word])];
    const files = found.flatMap(({ path, node }) => {
      const end = node.kind === 'symlink' ? lookup(root, path, { follow: true }) : node;
      return end?.kind === 'file' ? [{ path, node: end }] : [];
    });
    if (files.length === 0) throw noFile(root, found[0]!);
    return files;
  });
}

function noFile(root: Directory, { path }: Pick<SelectedFile, 'path'>): FlattenError {
  const node = lookup(root, path, { follow: true });
  const what = node === undefined ? 'is a symlink that leads to nothing' : `is a ${node.kind}, no file`;
  return new FlattenError('NOT_FOUND', `${printable(path) || '.'}: ${what}`);
}
