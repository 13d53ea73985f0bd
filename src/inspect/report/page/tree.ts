/** A name, as the page has it. */
export interface PageNode {
  readonly name: string;
  readonly kind: string;
  readonly layer: number;
  readonly bytes: number;
  /** Why it does not show; empty for what does. */
  readonly why: string;
  readonly by: number;
  readonly linkOf: string;
  readonly touches: readonly (readonly [layer: number, act: string])[];
  readonly parent: PageNode | undefined;
  readonly children: PageNode[];
  /** Bytes of all below it, those that do not show among them. */
  total: number;
  /** Those alone. */
  waste: number;
  /** Names below it, that show. */
  names: number;
  /** The layer that its colour is of: its own, or of a directory that of the largest file on the way down. */
  main: number;
}

/** What the page is given: see pack.ts. */
interface Packed {
  readonly names: readonly string[];
  readonly kinds: readonly number[];
  readonly counts: readonly number[];
  readonly bytes: readonly number[];
  readonly layers: readonly number[];
  readonly why: readonly number[];
  readonly by: Readonly<Record<number, number>>;
  readonly links: Readonly<Record<number, string>>;
  readonly touches: Readonly<Record<number, readonly (readonly [number, number])[]>>;
}

const KIND_WORDS = ['directory', 'file', 'symlink', 'char', 'block', 'fifo', 'folded'];
const WHY_WORDS = ['', 'overwritten', 'removed', 'metadata', 'bookkeeping'];
const ACT_WORDS = ['added', 'replaced', 'described anew', 'removed', 'hidden by an opaque marker', 'covered'];

/** Makes nodes of lists, adds up what is below each, and sorts children by size. */
export function unpack(packed: Packed): PageNode {
  const nodes: PageNode[] = [];
  const open: { readonly node: PageNode; left: number }[] = [];
  for (const [index, name] of packed.names.entries()) {
    while (open.length > 0 && open[open.length - 1]!.left === 0) open.pop();
    const top = open[open.length - 1];
    if (top !== undefined) top.left--;
    const bytes = packed.bytes[index]!;
    const why = WHY_WORDS[packed.why[index]!]!;
    const node: PageNode = {
      name,
      kind: KIND_WORDS[packed.kinds[index]!]!,
      layer: packed.layers[index]!,
      bytes,
      why,
      by: packed.by[index] ?? 0,
      linkOf: packed.links[index] ?? '',
      touches: (packed.touches[index] ?? []).map(([layer, act]) => [layer, ACT_WORDS[act]!] as const),
      parent: top?.node,
      children: [],
      total: bytes,
      waste: why === '' ? 0 : bytes,
      names: why === '' ? 1 : 0,
      main: packed.layers[index]!,
    };
    top?.node.children.push(node);
    nodes.push(node);
    if (packed.counts[index]! > 0) open.push({ node, left: packed.counts[index]! });
  }
  for (const node of nodes.reverse()) {
    if (node.parent === undefined) continue;
    node.parent.total += node.total;
    node.parent.waste += node.waste;
    node.parent.names += node.names;
  }
  // Children come before their parents here.
  for (const node of nodes) {
    if (node.children.length > 1) node.children.sort((a, b) => b.total - a.total);
    node.main = node.children[0]?.main ?? node.layer;
  }
  return nodes[nodes.length - 1]!;
}

/** The bytes that count in the picture. */
export function sizeOf(node: PageNode, withWaste: boolean): number {
  return withWaste ? node.total : node.total - node.waste;
}

/** From the root, without a leading slash. */
export function pathOf(node: PageNode): string {
  const names: string[] = [];
  for (let at: PageNode | undefined = node; at?.parent !== undefined; at = at.parent) names.unshift(at.name);
  return names.join('/');
}

/** The directory at a path, or the nearest one above it that is there. */
export function directoryAt(root: PageNode, path: string): PageNode {
  let at = root;
  for (const name of path.split('/')) {
    const next = at.children.find((child) => child.name === name && child.kind === 'directory');
    if (next === undefined) break;
    at = next;
  }
  return at;
}

/** Names that have a text in their path, whatever its case, the largest first; so many at most, and how many there are. */
export function search(root: PageNode, text: string, most: number): { found: PageNode[]; count: number } {
  const wanted = text.toLowerCase();
  const found: PageNode[] = [];
  const stack: { readonly node: PageNode; readonly path: string }[] = [{ node: root, path: '' }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    for (const child of top.node.children) {
      const path = top.path === '' ? child.name.toLowerCase() : `${top.path}/${child.name.toLowerCase()}`;
      // The name alone, unless a path was typed: else all below a directory would be found with it.
      if ((wanted.includes('/') ? path : child.name.toLowerCase()).includes(wanted)) found.push(child);
      stack.push({ node: child, path });
    }
  }
  found.sort((a, b) => b.total - a.total);
  return { found: found.slice(0, most), count: found.length };
}
