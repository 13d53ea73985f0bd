import { byId, colourOf, make } from './dom.js';
import { type PageNode, pathOf, sizeOf } from './tree.js';
import { REASONS, showBytes, showCount, showShare } from './words.js';

/** Rows that are shown at first, and with each click more. */
const ROWS = 100;

/** What the table lists. */
export interface ListView {
  readonly title: string;
  readonly nodes: readonly PageNode[];
  /** How many there are, of which `nodes` may be the first. */
  readonly count: number;
  /** What shares are of. */
  readonly whole: number;
  readonly withWaste: boolean;
  /** Whether names are told with their directories. */
  readonly withPaths: boolean;
  go(node: PageNode): void;
}

/** Fills the table. */
export function drawList(view: ListView): void {
  byId('list-title').textContent = view.title;
  byId('rows').replaceChildren();
  addRows(view, 0);
}

function addRows(view: ListView, from: number): void {
  const { nodes, count } = view;
  byId('rows').append(...nodes.slice(from, from + ROWS).map((node) => rowOf(node, view)));
  const shown = Math.min(from + ROWS, nodes.length);
  const more = byId('more');
  more.hidden = shown >= nodes.length;
  more.textContent = `Show more (${showCount(nodes.length - shown)} left)`;
  more.onclick = () => addRows(view, shown);
  byId('cut').textContent =
    count > nodes.length ? `The ${showCount(nodes.length)} largest of ${showCount(count)}.` : '';
}

function rowOf(node: PageNode, { whole, withWaste, withPaths, go }: ListView): HTMLElement {
  const row = make('tr', node.why === '' ? '' : 'gone');
  const name = make('td', 'path');
  const text = withPaths ? pathOf(node) : node.name;
  const target = node.kind === 'directory' ? node : withPaths ? node.parent : undefined;
  if (target === undefined) name.append(make('span', '', text));
  else {
    const button = make('button', '', node.kind === 'directory' ? `${text}/` : text);
    button.onclick = () => go(target);
    name.append(button);
  }
  if (node.why !== '')
    name.append(make('small', '', ` ${REASONS[node.why]}${node.by > 0 ? ` by layer ${node.by}` : ''}`));
  if (node.linkOf !== '') name.append(make('small', '', ` hard link to ${node.linkOf}`));
  if (node.kind === 'symlink') name.append(make('small', '', ' symlink'));
  const bytes = sizeOf(node, withWaste);
  const layer = make('td', 'layer');
  if (node.layer > 0 && node.kind !== 'directory')
    layer.append(make('i', `swatch ${colourOf(node.layer)}`), String(node.layer));
  row.append(
    name,
    make('td', 'number', showBytes(bytes)),
    make('td', 'number', showShare(bytes, whole)),
    layer,
  );
  return row;
}
