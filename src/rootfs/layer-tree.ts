import { FlattenError, printable } from '../errors.js';
import { diff } from './diff.js';
import type { Upper } from './merge.js';
import { type Directory, type File, IMPLIED, NO_XATTRS, type Node, type Rootfs } from './node.js';
import { finish } from './walk.js';

const MARKER = '.wh.';
const OPAQUE = '.wh..wh..opq';

/** A tree as one layer holds it: what it takes away stands in it as marker files. */
export interface LayerTree {
  readonly rootfs: Rootfs;
  /** Directories that get no entry of their own, since their name would be a marker's; what is in them implies them. */
  readonly implied: ReadonlySet<Directory>;
  /** The names whose xattrs are to be left out where {@link isHiddenXattr} says so: no layer shows them. */
  readonly hidden: { readonly count: number; readonly example: string };
}

/** Whether overlayfs keeps an xattr to itself, so that a layer which has it does not show it. */
export function isHiddenXattr(name: string): boolean {
  return name.startsWith('trusted.overlay.');
}

/**
 * Makes the tree of a layer that holds `rootfs`, or, where there is a `base` below it (a {@link snapshot}), what it
 * takes to make `rootfs` of the base. Throws `UNSUPPORTED`, naming the path, for a name that begins with `.wh.` and that
 * no layer can say, and for a character device 0:0, which in a layer is a removal.
 * Source: OCI image specification, layer.md, "Whiteouts".
 */
export function layerTree(rootfs: Rootfs, base?: Directory): LayerTree {
  if (base === undefined) return { rootfs, ...checked(rootfs.root, () => false) };
  const upper = diff(base, rootfs.root);
  const { removed, opaque } = upper;
  const found = checked(upper.root, (directory) => removed.has(directory) || opaque.has(directory));
  addMarkers(upper);
  return { rootfs: finish(upper.root), ...found };
}

/**
 * Refuses what no layer can say. Directories whose names begin as markers' do can be said where nothing but what is in
 * them needs saying: these are implied.
 */
function checked(root: Directory, isMarked: (directory: Directory) => boolean): Omit<LayerTree, 'rootfs'> {
  const implied = new Set<Directory>();
  const hidden = { count: 0, example: '' };
  const look = (path: string, { meta: { xattrs } }: Node) => {
    if (xattrs.size === 0 || ![...xattrs.keys()].some(isHiddenXattr)) return;
    if (hidden.count++ === 0 || path < hidden.example) hidden.example = path || '.';
  };
  look('', root);
  const stack: [string, Directory][] = [['', root]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [prefix, { children }] = top;
    for (const [name, node] of children) {
      const path = prefix + name;
      if (name.startsWith(MARKER)) {
        const isSaid = node.kind === 'directory' && (node.children.size > 0 || isMarked(node));
        if (!isSaid || !isUndescribed(node)) throw cannotHold('name', path);
        implied.add(node);
      }
      if (node.kind === 'char' && node.major === 0 && node.minor === 0) {
        throw cannotHold('character device 0:0', path);
      }
      look(path, node);
      if (node.kind === 'directory') stack.push([`${path}/`, node]);
    }
  }
  return { implied, hidden };
}

function isUndescribed({ meta: { mode, uid, gid, mtime, xattrs } }: Directory): boolean {
  const { mode: usual } = IMPLIED;
  return mode === usual && uid === 0 && gid === 0 && mtime === 0n && xattrs.size === 0;
}

function addMarkers({ opaque, removed }: Upper): void {
  for (const { children } of opaque) children.set(OPAQUE, marker());
  for (const [{ children }, names] of removed) {
    for (const name of names) {
      // At the root it would be read as AUFS's bookkeeping, and `.wh..opq` would hide everything.
      if (name.startsWith(MARKER)) throw cannotHold('name', name);
      children.set(MARKER + name, marker());
    }
  }
}

function marker(): File {
  const meta = { mode: 0o644, uid: 0, gid: 0, mtime: 0n, xattrs: NO_XATTRS };
  return { kind: 'file', meta, nlink: 0, content: { layer: { order: 0, file: -1 }, offset: 0, size: 0 } };
}

function cannotHold(what: string, path: string): FlattenError {
  return new FlattenError('UNSUPPORTED', `a layer cannot hold this ${what}: in a layer it means a removal`, {
    path,
    hint: `leave it out: {exclude: '${printable(path)}'}`,
  });
}
