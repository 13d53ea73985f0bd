import type { Upper } from './merge.js';
import { type Directory, directory, type Metadata, type Node } from './node.js';
import { eachName } from './walk.js';

/** Two directories at one path, and the new one that says how they differ. */
interface Frame {
  readonly name: string;
  readonly parent: Frame | undefined;
  readonly before: Directory;
  readonly after: Directory;
  readonly upper: Directory;
  isNeeded: boolean;
}

/**
 * What a layer has to say so that it makes `after` of `before`: merged onto `before`, it gives `after`.
 *
 * Trees share the inodes that are the same in both (see {@link snapshot}); an inode is unchanged only if it is the same
 * object. Of an inode with several names, all are said if one of them is new, as file systems that are stacked copy an
 * inode up whole. Directories on the way to a change are described, since those who unpack layers one by one would make
 * new ones. `after` is left as it is, and shares its directories with the result.
 */
export function diff(before: Directory, after: Directory): Upper {
  const frames = pairUp(before, after);
  const linked = newlyLinked(frames);
  const removed = new Map<Directory, ReadonlySet<string>>();
  const opaque = new Set<Directory>();
  for (const frame of frames) {
    addChildren(frame, linked);
    const gone = [...frame.before.children.keys()].filter((name) => !frame.after.children.has(name));
    if (gone.length > 0) frame.isNeeded = true;
    // An opaque root says nothing to overlayfs.
    if (gone.length > 1 && frame.parent !== undefined && !hasSurvivor(frame)) opaque.add(frame.upper);
    else if (gone.length > 0) removed.set(frame.upper, new Set(gone));
  }
  for (const { name, parent, upper, isNeeded } of frames.reverse()) {
    if (parent === undefined || !isNeeded) continue;
    parent.upper.children.set(name, upper);
    parent.isNeeded = true;
  }
  return { root: frames[frames.length - 1]!.upper, implied: new Set(), opaque, removed };
}

/** The directories that both trees have, parents first. */
function pairUp(before: Directory, after: Directory): Frame[] {
  const frame = (name: string, parent: Frame | undefined, a: Directory, b: Directory): Frame => {
    return {
      name,
      parent,
      before: a,
      after: b,
      upper: directory(b.meta),
      isNeeded: !sameMetadata(a.meta, b.meta),
    };
  };
  const frames = [frame('', undefined, before, after)];
  for (let next = 0; next < frames.length; next++) {
    const parent = frames[next]!;
    for (const [name, node] of parent.after.children) {
      const old = parent.before.children.get(name);
      if (node.kind === 'directory' && old?.kind === 'directory') frames.push(frame(name, parent, old, node));
    }
  }
  return frames;
}

/** Inodes with a name that is new, among them those whose other names are old. */
function newlyLinked(frames: readonly Frame[]): ReadonlySet<Node> {
  const linked = new Set<Node>();
  const add = (node: Node) => {
    if (node.kind !== 'directory' && node.nlink > 1) linked.add(node);
  };
  for (const { before, after } of frames) {
    for (const [name, node] of after.children) {
      const old = before.children.get(name);
      if (node === old) continue;
      if (node.kind !== 'directory') add(node);
      else if (old?.kind !== 'directory') eachName(node, add);
    }
  }
  return linked;
}

function addChildren(frame: Frame, linked: ReadonlySet<Node>): void {
  for (const [name, node] of frame.after.children) {
    const old = frame.before.children.get(name);
    const isUnchanged =
      node.kind === 'directory' ? old?.kind === 'directory' : node === old && !linked.has(node);
    if (isUnchanged) continue;
    frame.upper.children.set(name, node);
    frame.isNeeded = true;
  }
}

/** Whether something of the old directory shows in the new one. */
function hasSurvivor({ before, after }: Frame): boolean {
  for (const [name, old] of before.children) {
    const node = after.children.get(name);
    if (node === old || (node?.kind === 'directory' && old.kind === 'directory')) return true;
  }
  return false;
}

/** Whether two inodes agree in mode, owner, time and xattrs. */
export function sameMetadata(a: Metadata, b: Metadata): boolean {
  if (a === b) return true;
  if (a.mode !== b.mode || a.uid !== b.uid || a.gid !== b.gid || a.mtime !== b.mtime) return false;
  if (a.xattrs.size !== b.xattrs.size) return false;
  for (const [name, value] of a.xattrs) if (!b.xattrs.get(name)?.equals(value)) return false;
  return true;
}
