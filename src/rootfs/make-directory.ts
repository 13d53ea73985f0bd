import { FlattenError, printable } from '../errors.js';
import { type Directory, directory, IMPLIED, type Node } from './node.js';
import { components, lookup, MAX_PATH } from './path.js';

/** A directory that is made in the tree. */
export interface MadeDirectory {
  readonly path: string;
  /** Default: 0755 for one that is new, and for one that is there what it has. */
  readonly mode?: number;
}

/**
 * Makes a directory and those that lead there, as `mkdir -p` does: root's, with this mtime. One that is there stays as it is
 * but for a mode that is given; symlinks to directories are followed inside the root, though none is given a mode. Throws
 * `USAGE` where anything else has the name.
 */
export function makeDirectory(root: Directory, { path, mode }: MadeDirectory, mtime: bigint): void {
  const names = components(Buffer.from(path, 'utf8').toString('latin1'));
  if (names.includes('..') || path.includes('\0') || path.length > MAX_PATH)
    throw bad(path, 'is no path in the image');
  let here = root;
  let isNew = false;
  let isLink = false;
  for (const [index, name] of names.entries()) {
    const known = here.children.get(name);
    isNew = known === undefined;
    isLink = known?.kind === 'symlink';
    const way = names.slice(0, index + 1).join('/');
    const next = isLink ? lookup(root, way, { follow: true }) : (known ?? directory());
    if (next?.kind !== 'directory') throw taken(path, way, known!);
    if (isNew) here.children.set(name, next);
    here = next;
  }
  if (isLink && mode !== undefined) {
    throw bad(
      path,
      'is a symlink in the image, and has no mode',
      'give the mode to the directory that it leads to',
    );
  }
  if (isNew) here.meta = { ...IMPLIED, mode: mode ?? 0o755, mtime };
  else if (mode !== undefined) here.meta = { ...here.meta, mode };
}

function taken(path: string, way: string, { kind }: Node): FlattenError {
  const what = kind === 'symlink' ? 'symlink that leads to no directory' : kind;
  const it = `${printable(way)} is a ${what} in the image`;
  return bad(path, it, `to replace it, leave it out first: {exclude: /${printable(way)}}`);
}

function bad(path: string, what: string, hint?: string): FlattenError {
  return new FlattenError('USAGE', `{mkdir: ${printable(Buffer.from(path).toString('latin1'))}}: ${what}`, {
    ...(hint && { hint }),
  });
}
