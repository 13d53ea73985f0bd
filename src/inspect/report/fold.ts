import type { SizeNode } from './size-tree.js';

/** The same tree without its small files: those of a directory that show, and those that do not, are one node each. The sums stay. */
export function fold(node: SizeNode, atLeast: number): SizeNode {
  const kept: SizeNode[] = [];
  const shown = { bytes: 0, names: 0, layer: 0 };
  const hidden = { bytes: 0, names: 0, layer: 0 };
  for (const child of node.children) {
    if (child.kind === 'directory') {
      kept.push(fold(child, atLeast));
      continue;
    }
    if (child.bytes >= atLeast) {
      kept.push(child);
      continue;
    }
    const sum = child.waste === undefined ? shown : hidden;
    sum.bytes += child.bytes;
    sum.names += child.names ?? 1;
    sum.layer = child.layer;
  }
  for (const [{ bytes, names, layer }, waste] of [
    [shown, undefined],
    [hidden, { why: 'overwritten', by: 0 }],
  ] as const) {
    if (names === 0) continue;
    kept.push({
      name: `${names} smaller`,
      kind: 'folded',
      bytes,
      layer,
      names,
      children: [],
      ...(waste && { waste }),
    });
  }
  return { ...node, children: kept };
}
