import { type HierarchyRectangularNode, hierarchy, treemap, treemapSquarify } from 'd3-hierarchy';
import { type LayerColour, layerColours } from './colours.js';
import type { Facts, LayerRow } from './facts.js';
import { type Markup, markup, Markup as Raw } from './markup.js';
import { showBytes, showCount, showShare } from './page/words.js';
import type { SizeNode } from './size-tree.js';

const WIDTH = 1200;
const MARGIN = 24;
const MAP_TOP = 150;
const MAP_HEIGHT = 560;
const ROW = 22;
/** Layers that are told one by one: those with the most bytes. */
const MOST_LAYERS = 14;
/** Pixels: what has a smaller area is one rectangle with its neighbours, and a directory that is not larger than so many of them is not opened. */
const MIN_AREA = 40;
const MIN_OPEN = 12;
/** The most rectangles: with more, what is small is folded further. */
const MAX_CELLS = 3000;
/** Pixels of a letter of a label, and of one in bold. */
const LETTER = 6.7;
const BOLD = 7.6;

/** A node whose small children are one. */
interface Node {
  readonly of: Summed;
  /** Bytes of all of them, if they are folded, and how many. */
  readonly folded?: { readonly bytes: number; readonly names: number; readonly layer: number };
  readonly children: readonly Node[];
}

/** The report as one picture, for a document: no script, nothing to load. It follows the colours of the reader's system where it is shown by itself. */
export function svgReport(facts: Facts, root: SizeNode): string {
  const legend = [...facts.layers].sort((a, b) => b.bytes - a.bytes).slice(0, MOST_LAYERS);
  const shown = legend.sort((a, b) => a.number - b.number);
  const left = facts.layers.length - shown.length;
  const legendTop = MAP_TOP + MAP_HEIGHT + 34;
  const height = legendTop + shown.length * ROW + (left > 0 ? ROW : 0) + 10;
  const summary = `${showBytes(facts.bytes)} in ${showCount(facts.layers.length)} ${facts.layers.length === 1 ? 'layer' : 'layers'}, ${showBytes(facts.bytes - facts.waste)} in the tree, ${showBytes(facts.waste)} (${showShare(facts.waste, facts.bytes)}) not shown`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="title summary">
<title id="title">${facts.name}: files by size and layer</title>
<desc id="summary">${summary}</desc>
<style>${new Raw(style(layerColours(facts.layers.length)))}</style>
<defs><pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="7"/></pattern></defs>
<rect class="back" width="${WIDTH}" height="${height}"/>
<text class="head" x="${MARGIN}" y="44">${cut(facts.name, 80)}</text>
<text class="quiet" x="${MARGIN}" y="70">${summary}</text>
${bar(facts)}
${map(summed(root))}
${shown.map((row, index) => legendRow(row, legendTop + index * ROW))}${
  left > 0
    ? markup`<text class="quiet" x="${MARGIN}" y="${legendTop + shown.length * ROW + 4}">and ${left} smaller layers</text>`
    : ''
}
</svg>
`.text;
}

function bar({ layers, bytes }: Facts): Markup {
  const unit = (WIDTH - 2 * MARGIN) / Math.max(1, bytes);
  let x = MARGIN;
  const parts = layers.map(({ number, bytes: own, waste }) => {
    const left = x;
    x += own * unit;
    const hatched = waste > 0 ? rect(x - waste * unit, 90, waste * unit, 36, 'hatched') : '';
    return markup`${rect(left, 90, own * unit, 36, `cell k${number}`)}${hatched}`;
  });
  return markup`<g>${parts}</g>`;
}

function map(root: Summed): Markup {
  const scale = ((WIDTH - 2 * MARGIN) * MAP_HEIGHT) / Math.max(1, root.total);
  let small = MIN_AREA / scale;
  let tree = folded(root, small);
  for (; countOf(tree) > MAX_CELLS; tree = folded(root, small)) small *= 1.5;
  const nodes = hierarchy(tree)
    .sum(({ of, folded: small, children }) => (children.length > 0 ? 0 : (small?.bytes ?? of.total)))
    .sort((a, b) => b.value! - a.value!);
  if (!nodes.value) return markup`<text class="quiet" x="${MARGIN}" y="${MAP_TOP + 30}">No bytes.</text>`;
  const placed = treemap<Node>()
    .tile(treemapSquarify)
    .size([WIDTH - 2 * MARGIN, MAP_HEIGHT])
    .paddingOuter(2)
    .paddingTop(({ x0, x1, y0, y1, depth }) => (depth > 0 && x1 - x0 > 50 && y1 - y0 > 44 ? 17 : 2))(nodes);
  const parts = placed
    .descendants()
    .filter(({ depth }) => depth > 0)
    .map(cell);
  return markup`<g transform="translate(${MARGIN} ${MAP_TOP})">${parts}</g>`;
}

function cell({ data, children, x0, y0, x1, y1, value }: HierarchyRectangularNode<Node>): Markup | string {
  const [width, height] = [x1 - x0, y1 - y0];
  if (width < 0.5 || height < 0.5) return '';
  const { of, folded: small } = data;
  const isDirectory = children !== undefined;
  const name = small ? `${small.names} more` : of.kind === 'directory' ? `${of.name}/` : of.name;
  const layer = small ? small.layer : of.main;
  const colour = isDirectory
    ? 'open'
    : `cell k${layer}${small ? ' more' : of.kind === 'directory' ? ' shut' : ''}`;
  const letters = Math.floor((width - 8) / (isDirectory ? BOLD : LETTER));
  const isLabelled = letters >= 4 && (isDirectory ? height > 44 && width > 50 : height >= 15);
  const label = `${name} ${showBytes(value ?? 0)}`;
  const text = isLabelled
    ? markup`<text${new Raw(isDirectory ? ' class="directory"' : '')} x="${round(x0 + 4)}" y="${round(y0 + 13)}">${label.length <= letters ? label : cut(name, letters)}</text>`
    : '';
  const hatched = of.waste && !isDirectory && !small ? rect(x0, y0, width, height, 'hatched') : '';
  return markup`<g><title>${name} ${showBytes(value ?? 0)}</title>${rect(x0, y0, width, height, colour)}${hatched}${text}</g>
`;
}

function legendRow({ number, command, bytes, waste }: LayerRow, y: number): Markup {
  const sizes = `${showBytes(bytes)}${waste > 0 ? `, ${showBytes(waste)} not shown` : ''}`;
  return markup`${rect(MARGIN, y - 8, 14, 14, `cell k${number}`)}<text class="number" x="${MARGIN + 44}" y="${y + 4}">${number}</text><text class="mono" x="${MARGIN + 58}" y="${y + 4}">${cut(command, 116)}</text><text class="number quiet" x="${WIDTH - MARGIN}" y="${y + 4}">${sizes}</text>
`;
}

function rect(x: number, y: number, width: number, height: number, name: string): Markup {
  return markup`<rect class="${name}" x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"/>`;
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

function cut(text: string, letters: number): string {
  return text.length > letters ? `${text.slice(0, Math.max(1, letters - 1))}…` : text;
}

/** The tree without what is smaller than so many bytes: the small children of a directory are one. */
function folded(of: Summed, least: number): Node {
  const children: Node[] = [];
  let bytes = 0;
  let names = 0;
  let layer = 0;
  for (const child of of.total < least * MIN_OPEN && of.kind === 'directory' ? [] : of.below) {
    if (child.total >= least) children.push(folded(child, least));
    else if (child.total > 0) {
      bytes += child.total;
      names += 1;
      layer = child.main;
    }
  }
  if (names > 0) children.push({ of, folded: { bytes, names, layer }, children: [] });
  return { of, children };
}

function countOf({ children }: Node): number {
  return children.reduce((sum, child) => sum + countOf(child), 1);
}

/** A node with what is below it added up, its children the largest first. */
interface Summed extends SizeNode {
  readonly total: number;
  /** The layer of the largest file on the way down. */
  readonly main: number;
  readonly below: readonly Summed[];
}

function summed(node: SizeNode): Summed {
  const below = node.children.map(summed).sort((a, b) => b.total - a.total);
  const total = below.reduce((sum, child) => sum + child.total, node.bytes);
  return { ...node, below, total, main: below[0]?.main ?? node.layer };
}

function style(colours: readonly LayerColour[]): string {
  const rules = (scheme: keyof LayerColour) =>
    colours.map((colour, index) => `.k${index + 1}{fill:${colour[scheme]}}`).join('');
  return `text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;fill:#1d2126}
.head{font-size:24px;font-weight:600}.quiet{fill:#5b636e;font-size:14px}.mono{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.directory{font-weight:600}.number{text-anchor:end}.back{fill:#fff}.cell{stroke:#0003;stroke-width:.7}.k0{fill:#eceef0}.more{fill-opacity:.45}.shut{fill-opacity:.75}.open{fill:#f8f8f7;stroke:#d3d7dc;stroke-width:.7}
.hatched{fill:url(#hatch)}.hatch{stroke:#0006;stroke-width:2.4}
${rules('light')}
@media (prefers-color-scheme:dark){text{fill:#e6e9ed}.quiet{fill:#9aa3ae}.back{fill:#14171b}.k0{fill:#272c33}.open{fill:#1b1f24;stroke:#30363d}.hatch{stroke:#fff7}${rules('dark')}}`;
}
