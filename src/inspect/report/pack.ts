import { deflateRawSync } from 'node:zlib';
import type { Act } from '../touch.js';
import { fold } from './fold.js';
import type { SizeNode } from './size-tree.js';

/** The most bytes of a packed tree, in base64: the rest of the page needs the rest of a megabyte. */
const MAX_PACKED = 900_000;

/** Acts, by their numbers in a packed tree. */
const ACTS: readonly Act[] = ['added', 'replaced', 'described', 'whiteout', 'opaque', 'covered'];
/** Reasons, by their numbers in a packed tree; what shows has 0. */
const WHYS = ['', 'overwritten', 'removed', 'metadata', 'bookkeeping'] as const;
/** Kinds, by their numbers in a packed tree. */
const KINDS = ['directory', 'file', 'symlink', 'char', 'block', 'fifo', 'folded'] as const;

/** A tree as the page reads it: parallel lists, a directory before its children. */
export interface PackedTree {
  readonly names: string[];
  readonly kinds: number[];
  /** How many children a directory has. */
  readonly counts: number[];
  readonly bytes: number[];
  readonly layers: number[];
  readonly why: number[];
  /** The layer that hid it, by node. */
  readonly by: Record<number, number>;
  readonly links: Record<number, string>;
  readonly touches: Record<number, readonly (readonly [layer: number, act: number])[]>;
  /** Files of fewer bytes are folded; 0 for none. */
  readonly folded: number;
}

/** Packs a tree as base64 of raw deflate of JSON. Where it is too large, small files are folded until it is not. */
export function pack(root: SizeNode): string {
  for (let atLeast = 0; ; atLeast = Math.max(64, atLeast * 4)) {
    const json = JSON.stringify(listed(atLeast === 0 ? root : fold(root, atLeast), atLeast));
    const packed = deflateRawSync(json, { level: 9 }).toString('base64');
    if (packed.length <= MAX_PACKED || atLeast > Number.MAX_SAFE_INTEGER / 8) return packed;
  }
}

function listed(root: SizeNode, folded: number): PackedTree {
  const tree: PackedTree = {
    names: [],
    kinds: [],
    counts: [],
    bytes: [],
    layers: [],
    why: [],
    by: {},
    links: {},
    touches: {},
    folded,
  };
  const stack = [root];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const index = tree.names.push(node.name) - 1;
    tree.kinds.push(KINDS.indexOf(node.kind));
    tree.counts.push(node.children.length);
    tree.bytes.push(node.bytes);
    tree.layers.push(node.layer);
    tree.why.push(node.waste === undefined ? 0 : WHYS.indexOf(node.waste.why));
    if (node.waste) tree.by[index] = node.waste.by;
    if (node.linkOf !== undefined) tree.links[index] = node.linkOf;
    if (node.touches) tree.touches[index] = node.touches.map(([layer, act]) => [layer, ACTS.indexOf(act)]);
    stack.push(...[...node.children].reverse());
  }
  return tree;
}
