import { printable } from '../../errors.js';
import type { Node } from '../../rootfs/node.js';
import { textOf } from '../../rootfs/path-text.js';
import { byBytes, walk } from '../../rootfs/walk.js';
import { storedBytes } from '../carried.js';
import { type Hidden, hiddenFiles, type Why } from '../hidden.js';
import { type History, shownBy } from '../history.js';
import type { Act } from '../touch.js';

/** A name in the picture: one that the tree shows, or one whose bytes a layer carries in vain. */
export interface SizeNode {
  /** For people: control characters and bytes that are no UTF-8 are written as escapes. */
  readonly name: string;
  readonly kind: Node['kind'] | 'folded';
  /** Bytes of its own that a layer stores: of a further hard link, of a directory and of all that is no file, 0. */
  readonly bytes: number;
  /** The layer that it comes from, counted from 1; 0 where it is not known. */
  readonly layer: number;
  /** Why it does not show; absent for what does. */
  readonly waste?: { readonly why: Why; readonly by: number };
  /** It is a further name of the file with this path. */
  readonly linkOf?: string;
  /** What layers did to the name, if more than one thing. */
  readonly touches?: readonly (readonly [layer: number, act: Act])[];
  /** Of a directory, in byte order; names that do not show come after those that do. */
  readonly children: SizeNode[];
  /** Of what was folded: how many names. */
  readonly names?: number;
}

/**
 * An image by size: its tree, and in their places the files whose bytes do not show. The bytes of all together are the bytes of all layers' files.
 */
export function sizeTree(history: History): SizeNode {
  const places = new Map<string, SizeNode>();
  const firstNames = new Map<Node, string>();
  const carriers = new Map<Node, number>();
  for (const { file, layer } of history.carried) carriers.set(file, layer);
  for (const { path, node } of walk(history.tree.rootfs.root)) {
    const slash = path.lastIndexOf('/');
    const first = node.nlink > 1 && node.kind === 'file' ? firstNames.get(node) : undefined;
    const touches = history.touches(textOf(path));
    const made: SizeNode = {
      name: printable(path.slice(slash + 1)),
      kind: node.kind,
      bytes: node.kind === 'file' && first === undefined ? storedBytes(node.content) : 0,
      layer: (node.kind === 'file' ? carriers.get(node) : undefined) ?? shownBy(touches)?.layer ?? 0,
      ...(first !== undefined && { linkOf: printable(first) }),
      ...(touches.length > 1 && { touches: touches.map(({ layer, act }) => [layer, act] as const) }),
      children: [],
    };
    if (first === undefined) firstNames.set(node, path);
    if (path !== '') places.get(path.slice(0, Math.max(slash, 0)))!.children.push(made);
    if (node.kind === 'directory') places.set(path, made);
  }
  const hidden = [...hiddenFiles(history)].sort((a, b) => byBytes(a.path, b.path) || a.layer - b.layer);
  for (const each of hidden) place(each, places);
  return places.get('')!;
}

/** Puts a file that does not show where it was; a directory that is not there any more is made for it. */
function place({ path, layer, bytes, why, by }: Hidden, places: Map<string, SizeNode>): void {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  const name = names.pop() ?? path;
  let at = '';
  let parent = places.get('')!;
  for (const each of names) {
    at = at === '' ? each : `${at}/${each}`;
    let directory = places.get(at);
    if (directory === undefined) {
      directory = {
        name: printable(each),
        kind: 'directory',
        bytes: 0,
        layer,
        waste: { why, by },
        children: [],
      };
      parent.children.push(directory);
      places.set(at, directory);
    }
    parent = directory;
  }
  parent.children.push({
    name: printable(name),
    kind: 'file',
    bytes,
    layer,
    waste: { why, by },
    children: [],
  });
}
