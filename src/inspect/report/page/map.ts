import { byId, colourOf, make } from './dom.js';
import { explain, explainFolded } from './explain.js';
import { type Cell, hasHeader, planCells } from './plan.js';
import { type PageNode, pathOf } from './tree.js';
import { showBytes } from './words.js';

/** What the picture shows, and what it asks for. */
export interface MapView {
  readonly at: PageNode;
  readonly whole: number;
  readonly commands: readonly string[];
  readonly withWaste: boolean;
  /** The layer that stands out; 0 for none. */
  readonly layer: number;
  go(node: PageNode): void;
  say(text: string): void;
}

let view: MapView | undefined;
let cells: readonly Cell[] = [];
let elements: HTMLElement[] = [];
let marked = -1;

/** Draws a directory. */
export function drawMap(next: MapView): void {
  view = next;
  marked = -1;
  const box = byId('map');
  cells = planCells(next.at, box.clientWidth, box.clientHeight, next.withWaste);
  elements = cells.map((cell, index) => elementOf(cell, index, next));
  box.replaceChildren(...elements);
  if (cells.length === 0) box.append(make('p', 'nothing', 'No bytes here.'));
}

/** Hears the mouse and the keys; once. */
export function listenToMap(): void {
  const box = byId('map');
  const tip = byId('tip');
  box.addEventListener('click', (event) => {
    const cell = cellOf(event.target);
    if (cell !== undefined && view !== undefined) descend(cell);
  });
  box.addEventListener('mousemove', (event) => {
    const cell = cellOf(event.target);
    tip.hidden = cell === undefined;
    if (cell === undefined) return;
    showTip(cell);
    place(tip, event.clientX, event.clientY);
  });
  box.addEventListener('mouseleave', () => {
    tip.hidden = true;
  });
  box.addEventListener('keydown', onKey);
  box.addEventListener('blur', () => {
    mark(-1);
    tip.hidden = true;
  });
}

function elementOf(cell: Cell, index: number, { layer }: MapView): HTMLElement {
  const { node, x, y, w, h } = cell;
  const isDirectory = cell.isOpen;
  const isWaste = node.why !== '' && cell.folded === 0;
  const isAllWaste =
    !cell.isOpen && cell.folded === 0 && node.children.length > 0 && node.waste === node.total;
  const kind = cell.folded > 0 ? 'more ' : node.children.length > 0 ? 'shut ' : '';
  const colour = isDirectory ? 'open' : kind + colourOf(cell.layer);
  const dim = layer > 0 && !isDirectory && cell.layer !== layer ? ' dim' : '';
  const tiny = Math.min(w, h) < 4 ? ' tiny' : '';
  const element = make('div', `cell ${colour}${tiny}${isWaste || isAllWaste ? ' waste' : ''}${dim}`);
  element.dataset.cell = String(index);
  Object.assign(element.style, { left: `${x}px`, top: `${y}px`, width: `${w}px`, height: `${h}px` });
  const isLabelled = isDirectory ? hasHeader(cell) : w >= 36 && h >= 16;
  if (isLabelled) {
    const name = cell.folded > 0 ? `${cell.folded} more` : node.name;
    const label = make('span', 'name', node.children.length > 0 && cell.folded === 0 ? `${name}/` : name);
    element.append(label);
    if (isDirectory && w >= 110) label.append(make('small', '', ` ${showBytes(cell.bytes)}`));
    else if (!isDirectory && h >= 34 && w >= 50) element.append(make('small', '', showBytes(cell.bytes)));
  }
  return element;
}

function cellOf(target: EventTarget | null): Cell | undefined {
  const element = target instanceof Element ? target.closest('.cell') : null;
  return element instanceof HTMLElement ? cells[Number(element.dataset.cell)] : undefined;
}

/** Goes one directory down, towards what was clicked. */
function descend({ node }: Cell): void {
  let to: PageNode | undefined = node;
  while (to !== undefined && to.parent !== view!.at) to = to.parent;
  if (to !== undefined && to.children.length > 0) view!.go(to);
}

function linesOf(cell: Cell): string[] {
  const { whole, commands } = view!;
  return cell.folded > 0
    ? explainFolded(cell.node, cell.folded, cell.bytes, whole)
    : explain(cell.node, whole, commands);
}

function showTip(cell: Cell): void {
  const [path, ...lines] = linesOf(cell);
  byId('tip').replaceChildren(make('b', '', path), ...lines.map((line) => make('span', '', line)));
}

function place(tip: HTMLElement, x: number, y: number): void {
  const left = Math.min(x + 14, window.innerWidth - tip.offsetWidth - 8);
  const top = y + 18 + tip.offsetHeight > window.innerHeight ? y - tip.offsetHeight - 12 : y + 18;
  Object.assign(tip.style, { left: `${Math.max(8, left)}px`, top: `${Math.max(8, top)}px` });
}

/** Arrows go from one name of this directory to the next, the largest first; Enter goes into it, Backspace and Escape go up. */
function onKey(event: KeyboardEvent): void {
  if (view === undefined) return;
  const top = cells.flatMap((cell, index) => (cell.depth === 0 ? [index] : []));
  const at = top.indexOf(marked);
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (step !== undefined) mark(top[at < 0 ? 0 : (at + step + top.length) % top.length] ?? -1);
  else if (event.key === 'Enter' && marked >= 0) descend(cells[marked]!);
  else if (event.key === 'Backspace' || event.key === 'Escape') {
    if (view.at.parent !== undefined) view.go(view.at.parent);
  } else return;
  event.preventDefault();
}

function mark(index: number): void {
  elements[marked]?.classList.remove('marked');
  marked = index;
  const element = elements[index];
  const cell = cells[index];
  if (element === undefined || cell === undefined) return;
  element.classList.add('marked');
  showTip(cell);
  const tip = byId('tip');
  tip.hidden = false;
  const box = element.getBoundingClientRect();
  place(tip, box.left, Math.min(box.top + 16, box.bottom));
  view?.say(`${pathOf(cell.node)}: ${linesOf(cell).slice(1).join('; ')}`);
}
