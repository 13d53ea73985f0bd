import { byId, make } from './dom.js';
import { drawList } from './list.js';
import { drawMap, listenToMap } from './map.js';
import { directoryAt, type PageNode, pathOf, search, sizeOf, unpack } from './tree.js';
import { showBytes, showCount, showShare } from './words.js';

/** Names that a search lists. */
const MOST = 500;

const root = unpack(JSON.parse(await inflated(byId('data').textContent ?? '')));
const commands = [...document.querySelectorAll('#layers .command')].map((cell) => cell.textContent ?? '');
const state = { at: directoryAt(root, placeOf()), text: '', withWaste: true, layer: 0 };

listenToMap();
byId('search').addEventListener('input', () => {
  state.text = (byId('search') as HTMLInputElement).value.trim();
  list();
});
byId('with-waste').addEventListener('change', () => {
  state.withWaste = (byId('with-waste') as HTMLInputElement).checked;
  draw();
});
for (const button of document.querySelectorAll<HTMLElement>('[data-layer]'))
  button.addEventListener('click', () => standOut(Number(button.dataset.layer)));
window.addEventListener('hashchange', () => show(directoryAt(root, placeOf())));
document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.target instanceof HTMLInputElement) return;
  byId('search').focus();
  event.preventDefault();
});
let width = 0;
new ResizeObserver(() => {
  if (byId('map').clientWidth !== width) map();
}).observe(byId('map'));
byId('explorer').hidden = false;
draw();

/** Raw deflate in base64, as text. */
async function inflated(base64: string): Promise<string> {
  const bytes = Uint8Array.from(atob(base64.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).text();
}

function placeOf(): string {
  try {
    return decodeURIComponent(location.hash.slice(1));
  } catch {
    return '';
  }
}

function go(node: PageNode): void {
  const hash = `#${encodeURIComponent(pathOf(node))}`;
  if (state.text !== '') {
    state.text = '';
    (byId('search') as HTMLInputElement).value = '';
  }
  if (location.hash === hash || (hash === '#' && location.hash === '')) show(node);
  else location.hash = hash;
}

function show(node: PageNode): void {
  state.at = node;
  draw();
  say(
    `${pathOf(node) || 'the root'}: ${showBytes(sizeOf(node, state.withWaste))}, ${showCount(node.children.length)} names`,
  );
}

function say(text: string): void {
  byId('said').textContent = text;
}

function standOut(layer: number): void {
  state.layer = state.layer === layer ? 0 : layer;
  for (const button of document.querySelectorAll<HTMLElement>('[data-layer]'))
    button.setAttribute('aria-pressed', String(Number(button.dataset.layer) === state.layer));
  map();
}

function draw(): void {
  crumbs();
  map();
  list();
}

function map(): void {
  width = byId('map').clientWidth;
  const { at, withWaste, layer } = state;
  drawMap({ at, whole: root.total, commands, withWaste, layer, go, say });
}

function list(): void {
  const { at, text, withWaste } = state;
  const usual = { whole: sizeOf(text === '' ? at : root, withWaste), withWaste, go };
  if (text === '') {
    const nodes = [...at.children]
      .filter((child) => withWaste || child.why === '')
      .sort((a, b) => sizeOf(b, withWaste) - sizeOf(a, withWaste));
    drawList({ ...usual, title: `/${pathOf(at)}`, nodes, count: nodes.length, withPaths: false });
    return;
  }
  const { found, count } = search(root, text, MOST);
  const title = `${showCount(count)} ${count === 1 ? 'name has' : 'names have'} “${text}”`;
  drawList({ ...usual, title, nodes: found, count, withPaths: true });
  say(title);
}

function crumbs(): void {
  const way: PageNode[] = [];
  for (let at: PageNode | undefined = state.at; at !== undefined; at = at.parent) way.unshift(at);
  const items = way.map((node, index) => {
    const item = make('li');
    const isHere = index === way.length - 1;
    const text = index === 0 ? '/' : node.name;
    const inner = make(isHere ? 'span' : 'button', '', text);
    if (isHere) inner.setAttribute('aria-current', 'location');
    else inner.onclick = () => go(node);
    item.append(inner);
    return item;
  });
  byId('crumbs').replaceChildren(...items);
  const bytes = sizeOf(state.at, state.withWaste);
  byId('here').textContent = `${showBytes(bytes)}, ${showShare(bytes, sizeOf(root, state.withWaste))}`;
}
