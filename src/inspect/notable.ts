import type { Node } from '../rootfs/node.js';
import { walk } from '../rootfs/walk.js';
import type { History } from './history.js';

/** Paths (latin1) of a tree that somebody who cares for security looks at; hard links are told of once for each name. */
export interface Notable {
  /** Files with setuid or setgid. */
  readonly setuid: readonly string[];
  /** Files with capabilities. */
  readonly capabilities: readonly string[];
  readonly devices: readonly string[];
  /** What everybody may write, but for symlinks, and directories with the sticky bit as `tmp`. */
  readonly worldWritable: readonly string[];
}

/** Goes through a tree once. */
export function notableIn(history: History): Notable {
  const found = { setuid: [], capabilities: [], devices: [], worldWritable: [] } as Record<
    keyof Notable,
    string[]
  >;
  for (const { path, node } of walk(history.tree.rootfs.root))
    for (const what of whatIsNotable(node)) found[what].push(path);
  return found;
}

function* whatIsNotable({ kind, meta: { mode, xattrs } }: Node): Generator<keyof Notable> {
  if (kind === 'file' && mode & 0o6000) yield 'setuid';
  if (xattrs.size > 0 && xattrs.has('security.capability')) yield 'capabilities';
  if (kind === 'char' || kind === 'block') yield 'devices';
  const isSafe = kind === 'symlink' || (kind === 'directory' && (mode & 0o1000) !== 0);
  if (!isSafe && mode & 0o002) yield 'worldWritable';
}
