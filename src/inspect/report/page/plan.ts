import { type Box, squarify } from './squarify.js';
import { type PageNode, sizeOf } from './tree.js';

/** A rectangle of the picture. */
export interface Cell extends Box {
  /** What it stands for; of folded ones the directory that they are in. */
  readonly node: PageNode;
  /** How many names are folded into it; 0 for one that stands for its node alone. */
  readonly folded: number;
  /** The layer that its colour is of. */
  readonly layer: number;
  /** The node's share of bytes, or that of those that are folded. */
  readonly bytes: number;
  /** Whether it is a directory whose children are drawn in it. */
  isOpen: boolean;
  readonly depth: number;
}

/** The most rectangles: a browser draws these in a few milliseconds. */
const MAX_CELLS = 3000;
/** Pixels: rectangles of a smaller area are folded; directories with a shorter side are not opened. */
const MIN_AREA = 24;
const MIN_SIDE = 22;
/** Pixels that a directory's name takes, and those between it and its children. */
const HEADER = 17;
const PADDING = 2;

/** Lays out what is in a directory: the largest directories are opened first, until there are enough rectangles. Parents come before children. */
export function planCells(root: PageNode, width: number, height: number, withWaste: boolean): Cell[] {
  const cells: Cell[] = [];
  const open: Cell[] = [];
  const fill = (node: PageNode, box: Box, depth: number): boolean => {
    const made = childCells(node, box, depth, withWaste);
    if (cells.length + made.length > MAX_CELLS) return false;
    cells.push(...made);
    for (const cell of made)
      if (cell.folded === 0 && cell.node.children.length > 0 && Math.min(cell.w, cell.h) >= MIN_SIDE)
        insert(open, cell);
    return true;
  };
  fill(root, { x: 0, y: 0, w: width, h: height }, 0);
  for (let cell = open.pop(); cell !== undefined; cell = open.pop()) {
    const inner = innerBox(cell);
    if (inner.w >= 4 && inner.h >= 4 && fill(cell.node, inner, cell.depth + 1)) cell.isOpen = true;
  }
  return cells;
}

/** Whether a directory's name stands above its children. */
export function hasHeader({ w, h }: Box): boolean {
  return w >= 44 && h >= 40;
}

function innerBox(cell: Cell): Box {
  const top = hasHeader(cell) ? HEADER : PADDING;
  return { x: cell.x + PADDING, y: cell.y + top, w: cell.w - 2 * PADDING, h: cell.h - top - PADDING };
}

function childCells(node: PageNode, box: Box, depth: number, withWaste: boolean): Cell[] {
  const children = node.children
    .filter((child) => sizeOf(child, withWaste) > 0)
    .sort((a, b) => sizeOf(b, withWaste) - sizeOf(a, withWaste));
  const whole = children.reduce((sum, child) => sum + sizeOf(child, withWaste), 0);
  const least = (MIN_AREA * whole) / (box.w * box.h);
  const firstSmall = children.findIndex((child) => sizeOf(child, withWaste) < least);
  const kept = firstSmall < 0 ? children.length : Math.min(firstSmall, 600);
  const shown = children.slice(0, kept);
  const small = children.slice(kept);
  const values = shown.map((child) => sizeOf(child, withWaste));
  const rest = small.reduce((sum, child) => sum + sizeOf(child, withWaste), 0);
  // The layout wants the largest first.
  const at = rest > 0 ? values.filter((value) => value >= rest).length : values.length;
  const all = rest > 0 ? [...values.slice(0, at), rest, ...values.slice(at)] : values;
  return squarify(all, box).map((place, index) => {
    const isRest = rest > 0 && index === at;
    const child = shown[index > at ? index - 1 : index];
    return {
      ...place,
      node: isRest ? node : child!,
      folded: isRest ? small.length : 0,
      layer: (isRest ? small[0] : child)!.main,
      bytes: all[index]!,
      isOpen: false,
      depth,
    };
  });
}

/** Keeps the largest last. */
function insert(open: Cell[], cell: Cell): void {
  const area = cell.w * cell.h;
  let [low, high] = [0, open.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (open[middle]!.w * open[middle]!.h < area) low = middle + 1;
    else high = middle;
  }
  open.splice(low, 0, cell);
}
