import { FlattenError, printable } from '../errors.js';
import type { Directory, Metadata, Node } from '../rootfs/node.js';
import { components, lookup } from '../rootfs/path.js';
import type { TarEntry } from '../tar/entry.js';

/**
 * What overlayfs keeps on its disk and never shows; a layer that was packed there has it too. Rule 8 of the layer rules.
 * `user.overlay.*` is not among it: only engines without root give it a meaning, all others show it as it is.
 * Source: Linux, Documentation/filesystems/overlayfs.rst.
 */
const PREFIX = 'trusted.overlay.';
const OPAQUE = `${PREFIX}opaque`;
const WHITEOUT = `${PREFIX}whiteout`;
const REDIRECT = `${PREFIX}redirect`;
const METACOPY = `${PREFIX}metacopy`;

type Xattrs = Metadata['xattrs'];

/** Whether an entry is a whiteout of overlayfs, or has xattrs of its. */
export function isOverlays({ type, major, minor, xattrs }: TarEntry): boolean {
  return (type === 'char' && major === 0 && minor === 0) || hasOwn(xattrs);
}

/** Whether a directory's xattrs say that it hides every lower child. */
export function isOpaque(xattrs: Xattrs): boolean {
  return textOf(xattrs, OPAQUE) === 'y';
}

/**
 * Makes removals of the whiteouts in a layer's tree, further names of theirs included, and takes away overlayfs's
 * xattrs. Throws `UNSUPPORTED` where content lies elsewhere in the lower: of a renamed directory, of a file that is
 * metadata alone.
 */
export function takeOverlay(root: Directory, lower: Directory, removed: Map<Directory, Set<string>>): void {
  const stack: [string, Directory][] = [['', root]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [prefix, directory] = top;
    // Overlays on overlays have whiteouts of another kind, in directories that are marked.
    const isMarked = textOf(directory.meta.xattrs, OPAQUE) === 'x';
    strip(directory);
    for (const [name, node] of directory.children) {
      const path = prefix + name;
      if (isWhiteout(node) || (isMarked && isXattrWhiteout(node))) {
        directory.children.delete(name);
        remove(removed, directory, name);
        continue;
      }
      refuseElsewhere(node, prefix, path, lower);
      if (node.kind === 'directory') stack.push([`${path}/`, node]);
      else strip(node);
    }
  }
}

/** Notes that a layer takes a name away from the lower directory. */
export function remove(removed: Map<Directory, Set<string>>, parent: Directory, name: string): void {
  const names = removed.get(parent);
  if (names === undefined) removed.set(parent, new Set([name]));
  else names.add(name);
}

function isWhiteout(node: Node): boolean {
  return node.kind === 'char' && node.major === 0 && node.minor === 0;
}

function isXattrWhiteout(node: Node): boolean {
  return node.kind === 'file' && node.content.size === 0 && node.meta.xattrs.has(WHITEOUT);
}

function refuseElsewhere(node: Node, prefix: string, path: string, lower: Directory): void {
  const { xattrs } = node.meta;
  if (node.kind === 'file' && node.content.size > 0 && xattrs.has(METACOPY)) {
    const below = lookup(lower, path);
    // It has the size of the file whose content it means, and zeros.
    if (below?.kind === 'file' && below !== node && below.content.size === node.content.size) {
      throw elsewhere(path, `the file has its content in the layers below (${METACOPY})`);
    }
  }
  const redirect = node.kind === 'directory' ? textOf(xattrs, REDIRECT) : undefined;
  if (redirect === undefined) return;
  const before = components(redirect.startsWith('/') ? redirect : prefix + redirect).join('/');
  if (before === path || lookup(lower, before)?.kind !== 'directory') return;
  throw elsewhere(
    path,
    `the directory was ${printable(before)} (${REDIRECT}), and what is in it still lies there`,
  );
}

function elsewhere(path: string, what: string): FlattenError {
  return new FlattenError('UNSUPPORTED', `${what}: no layer can say that`, {
    path,
    hint: 'pack the layer from the mounted overlay, not from its upper directory',
  });
}

/** In place: an entry's xattrs are its inode's own, and ACLs may still have to be put into them. */
function strip({ meta: { xattrs } }: Node): void {
  if (!hasOwn(xattrs)) return;
  for (const name of [...xattrs.keys()])
    if (name.startsWith(PREFIX)) (xattrs as Map<string, Buffer>).delete(name);
}

function hasOwn(xattrs: Xattrs): boolean {
  if (xattrs.size === 0) return false;
  for (const name of xattrs.keys()) if (name.startsWith(PREFIX)) return true;
  return false;
}

function textOf(xattrs: Xattrs, name: string): string | undefined {
  return xattrs.size === 0 ? undefined : xattrs.get(name)?.toString('latin1');
}
