import { formatPlatform } from '../../oci/platform.js';
import type { History } from '../history.js';
import type { SizeNode } from './size-tree.js';

/** A layer, as the report shows it. */
export interface LayerRow {
  readonly number: number;
  /** The command that made it, or what is known instead. */
  readonly command: string;
  /** Bytes as they are stored in the image. */
  readonly stored: number;
  /** Bytes of its files. */
  readonly bytes: number;
  /** How many of them do not show. */
  readonly waste: number;
  readonly entries: number;
}

/** A file that does not show. */
export interface WasteRow {
  readonly path: string;
  readonly bytes: number;
  readonly layer: number;
  readonly why: string;
  readonly by: number;
}

/** What a report says, apart from the tree itself. */
export interface Facts {
  readonly name: string;
  readonly platform: string;
  readonly digest: string;
  readonly entries: number;
  /** Bytes of the files of all layers. */
  readonly bytes: number;
  /** How many of them do not show. */
  readonly waste: number;
  readonly layers: readonly LayerRow[];
  /** The files that waste most. */
  readonly worst: readonly WasteRow[];
}

/** Files that are listed among the worst. */
const WORST = 25;

/** Adds up what the report says. */
export function factsOf({ image, layers, tree }: History, root: SizeNode): Facts {
  const shown = new Map<number, number>();
  const waste = new Map<number, number>();
  const hidden: WasteRow[] = [];
  const stack: { readonly node: SizeNode; readonly path: string }[] = [{ node: root, path: '' }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, path } = top;
    for (const child of node.children)
      stack.push({ node: child, path: path === '' ? child.name : `${path}/${child.name}` });
    if (node.bytes === 0) continue;
    const sums = node.waste ? waste : shown;
    sums.set(node.layer, (sums.get(node.layer) ?? 0) + node.bytes);
    if (node.waste) hidden.push({ path, bytes: node.bytes, layer: node.layer, ...node.waste });
  }
  const total = (sums: ReadonlyMap<number, number>) =>
    [...sums.values()].reduce((sum, each) => sum + each, 0);
  const { platform } = image;
  return {
    name: image.name,
    platform: platform ? formatPlatform(platform) : '',
    digest: image.digest ?? '',
    entries: tree.entries,
    bytes: total(shown) + total(waste),
    waste: total(waste),
    layers: layers.map(({ number, createdBy, digest, diffID, size, entries }) => ({
      number,
      command: createdBy ?? diffID ?? digest ?? 'no command is recorded',
      stored: size,
      bytes: (shown.get(number) ?? 0) + (waste.get(number) ?? 0),
      waste: waste.get(number) ?? 0,
      entries,
    })),
    worst: hidden.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)).slice(0, WORST),
  };
}
