import type { Directory, LayerFile, Node } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';
import type { EntryType, TarEntry } from '../../src/tar/entry.js';

/** A layer's file that nobody reads. */
export const FILE: LayerFile = { order: 0, file: -1 };

/** An entry, without an archive around it. */
export function entry(type: EntryType, path: string, more: Partial<TarEntry> = {}): TarEntry {
  return {
    path,
    type,
    linkpath: '',
    mode: 0o755,
    uid: 0,
    gid: 0,
    mtime: 0n,
    size: 0,
    major: 0,
    minor: 0,
    xattrs: new Map(),
    offset: 0,
    ...more,
  };
}

export const file = (path: string, more: Partial<TarEntry> = {}) => entry('file', path, more);
export const folder = (path: string, more: Partial<TarEntry> = {}) => entry('directory', path, more);
export const symlink = (path: string, linkpath: string) => entry('symlink', path, { linkpath });
export const link = (path: string, linkpath: string) => entry('link', path, { linkpath });

/** Every name of a tree but the root, as `kind path`. */
export function names(root: Directory): string[] {
  return [...walk(root)].slice(1).map(({ path, node }) => `${kindOf(node)} ${path}`);
}

function kindOf(node: Node): string {
  return node.kind === 'directory' ? 'd' : node.kind === 'symlink' ? `l->${node.target}` : node.kind[0]!;
}
