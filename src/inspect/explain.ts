import { FlattenError, printable } from '../errors.js';
import { nearest } from '../nearest.js';
import { pathTest } from '../rootfs/glob.js';
import type { Directory, Node } from '../rootfs/node.js';
import { components, lookup } from '../rootfs/path.js';
import { bytesOf } from '../rootfs/path-text.js';
import { byBytes, walk } from '../rootfs/walk.js';
import { storedBytes } from './carried.js';
import { type History, shownBy } from './history.js';
import { sameBytes } from './same-file.js';
import { isGlob } from './select.js';
import type { Touch } from './touch.js';
import type { Trace } from './trace.js';

/** A symlink on the way to a path. */
export interface Way {
  /** Latin1, as is the target. */
  readonly path: string;
  readonly target: string;
}

/** Something that a layer did to a path, and what came of it. */
export interface Step extends Touch {
  /** Of a file that replaced a file: whether the content is the same, which was read to know it. */
  readonly sameContent?: boolean;
  /** Bytes that the layer carries for it. */
  readonly bytes: number;
}

/** Where a path of an image comes from, or why it is not there. All paths are latin1. */
export interface Explanation {
  /** As it was asked for. */
  readonly path: string;
  /** The symlinks that were followed on the way to it. */
  readonly way: readonly Way[];
  /** Where that led: `path`, if no symlinks were followed. */
  readonly place: string;
  /** What is there. */
  readonly node?: Node;
  /** The layer that it comes from, counted from 1. */
  readonly layer?: number;
  /** All that was done to it, base first. */
  readonly steps: readonly Step[];
  /** The other names of the inode. */
  readonly links: readonly string[];
  /** Of a path that no layer ever had: names that are nearly the same, and paths that end in the same name. */
  readonly nearest: readonly string[];
}

/** The most names that are given in place of one that is not there. */
const MAX_NEAREST = 5;

/**
 * Explains what words mean: paths, or globs, which mean all names that any layer ever had. Symlinks are followed on the way to the last name. Reads the content of
 * files that were replaced by files of their size, and nothing else. Throws `NOT_FOUND` for a glob that means nothing.
 */
export function* explain(history: History, words: readonly string[]): Generator<Explanation> {
  for (const word of words) {
    const bytes = bytesOf(word);
    const path = components(bytes).join('/');
    const isKnown = history.at(path).length > 0 || lookup(history.tree.rootfs.root, bytes) !== undefined;
    if (isKnown || !isGlob(word)) yield explainPath(history, path);
    else yield* explainGlob(history, word);
  }
}

function* explainGlob(history: History, glob: string): Generator<Explanation> {
  const isMeant = pathTest([glob]);
  const paths = [...everyName(history.trace)].filter(isMeant).sort(byBytes);
  if (paths.length === 0)
    throw new FlattenError('NOT_FOUND', `${printable(bytesOf(glob))}: no layer has such a path`);
  for (const path of paths) yield explainPath(history, path);
}

/** Every name below the root that any layer ever had. */
function* everyName(root: Trace): Generator<string> {
  const stack: [string, Trace][] = [['', root]];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [prefix, { children }] = top;
    for (const [name, trace] of children ?? []) {
      yield prefix + name;
      if (trace.children !== undefined) stack.push([`${prefix}${name}/`, trace]);
    }
  }
}

function explainPath(history: History, path: string): Explanation {
  const { root } = history.tree.rootfs;
  const way: Way[] = [];
  const names: string[] = [];
  const onLink = ({ target }: { readonly target: string }) => way.push({ path: names.join('/'), target });
  const node = lookup(root, path, { onLink, place: names });
  const place = node === undefined ? path : names.join('/');
  const touches = history.at(place);
  const steps = touches.map(stepOf);
  const shown = node && shownBy(touches);
  return {
    path,
    way: node === undefined ? [] : way,
    place,
    ...(node && { node }),
    ...(shown && { layer: shown.layer }),
    steps,
    links: node === undefined ? [] : linksOf(root, node, place),
    nearest: node === undefined && steps.length === 0 ? near(root, path) : [],
  };
}

function stepOf(touch: Touch): Step {
  const { node, hid, isLink } = touch;
  const bytes = node?.kind === 'file' && !isLink ? storedBytes(node.content) : 0;
  const isPair = node?.kind === 'file' && hid?.kind === 'file' && node.content.size === hid.content.size;
  return isPair ? { ...touch, bytes, sameContent: sameBytes(hid, node) } : { ...touch, bytes };
}

/** The other names of an inode. */
function linksOf(root: Directory, node: Node, path: string): string[] {
  if (node.kind === 'directory' || node.nlink < 2) return [];
  const found: string[] = [];
  for (const visit of walk(root)) if (visit.node === node && visit.path !== path) found.push(visit.path);
  return found;
}

/** Paths of the tree for one that no layer ever had: names of its directory that differ by a slip, then paths that end as it does. */
function near(root: Directory, path: string): string[] {
  const slash = path.lastIndexOf('/');
  const [parent, name] = [path.slice(0, Math.max(0, slash)), path.slice(slash + 1)];
  const here = lookup(root, parent, { follow: true });
  const siblings = here?.kind === 'directory' ? nearest(name, [...here.children.keys()], MAX_NEAREST) : [];
  const found = siblings.map((each) => (parent === '' ? each : `${parent}/${each}`));
  for (const visit of walk(root)) {
    if (found.length >= MAX_NEAREST) break;
    const isThis = visit.path === name || visit.path.endsWith(`/${name}`);
    if (isThis && !found.includes(visit.path)) found.push(visit.path);
  }
  return found;
}
