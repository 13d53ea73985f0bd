import type { PathTest } from './glob.js';
import type { Directory } from './node.js';

/** A directory of the tree on the way down. */
interface Frame {
  readonly path: string;
  readonly name: string;
  readonly directory: Directory;
  readonly parent: Frame | undefined;
  /** It, or something above it, is meant itself. */
  readonly isMeant: boolean;
}

/** Takes away what `isMeant` says, each with all that is below it. */
export function exclude(root: Directory, isMeant: PathTest): void {
  const stack: [string, Directory][] = [['', root]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [prefix, { children }] = top;
    for (const [name, node] of children) {
      const path = prefix + name;
      if (isMeant(path)) children.delete(name);
      else if (node.kind === 'directory') stack.push([`${path}/`, node]);
    }
  }
}

/** Keeps only what `isMeant` says, with all that is below it and the directories that lead there. */
export function include(root: Directory, isMeant: PathTest): void {
  const kept = new Set<Directory>([root]);
  const keep = (frame: Frame | undefined) => {
    for (let at = frame; at !== undefined && !kept.has(at.directory); at = at.parent) kept.add(at.directory);
  };
  const frames: Frame[] = [{ path: '', name: '', directory: root, parent: undefined, isMeant: false }];
  for (let next = 0; next < frames.length; next++) {
    const frame = frames[next]!;
    for (const [name, node] of frame.directory.children) {
      const path = frame.path === '' ? name : `${frame.path}/${name}`;
      const meant = frame.isMeant || isMeant(path);
      if (node.kind === 'directory') {
        const below = { path, name, directory: node, parent: frame, isMeant: meant };
        frames.push(below);
        if (meant) keep(below);
      } else if (meant) keep(frame);
      else frame.directory.children.delete(name);
    }
  }
  for (const { name, directory, parent } of frames.reverse()) {
    if (!kept.has(directory)) parent!.directory.children.delete(name);
  }
}
