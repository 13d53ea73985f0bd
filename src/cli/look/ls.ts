import { FlattenError } from '../../errors.js';
import { entryJson } from '../../inspect/entry-json.js';
import type { History } from '../../inspect/history.js';
import { type ListedName, list } from '../../inspect/list.js';
import { mtreeLines } from '../../inspect/mtree.js';
import { showDate } from '../../rootfs/date.js';
import { modeText } from '../../rootfs/mode.js';
import { visibleText } from '../../rootfs/path-text.js';
import type { ListFlags } from '../look-options.js';
import { withHistory } from './open.js';
import { printLines } from './print.js';

/** Does what `flatten ls` was asked for. */
export async function printList(
  image: string,
  paths: readonly string[],
  flags: ListFlags,
  signal: AbortSignal,
): Promise<void> {
  if (flags.mtree && paths.length > 0)
    throw new FlattenError('USAGE', `--mtree: is of the whole tree, and not of ${paths.join(' ')}`);
  await withHistory(image, flags, signal, (history) => printLines(lines(history, paths, flags), signal));
}

function lines(history: History, paths: readonly string[], flags: ListFlags): Iterable<string> {
  const { recursive = false, directory = false, layers = false, json, mtree } = flags;
  if (mtree) return mtreeLines(history.tree.rootfs.root);
  const listed = list(history, { ...(paths.length > 0 && { paths }), recursive, directory });
  return json ? jsonLines(listed) : tableLines(listed, layers ? String(history.layers.length).length : 0);
}

function* jsonLines(listed: Iterable<ListedName>): Generator<string> {
  for (const { path, node, layer } of listed) yield JSON.stringify({ ...entryJson(path, node), layer });
}

/** Links, owner and size have the width of their widest; a layer's number has `layerWidth` digits, and is left out where that is 0. */
function* tableLines(listed: Iterable<ListedName>, layerWidth: number): Generator<string> {
  const widths = [0, 0, 0];
  for (const one of listed)
    for (const [at, cell] of cellsOf(one).entries()) widths[at] = Math.max(widths[at]!, cell.length);
  for (const one of listed) {
    const { node, layer } = one;
    const [links, owner, size] = cellsOf(one).map((cell, at) => cell.padStart(widths[at]!));
    const mode = modeText(node.kind, node.meta.mode);
    const columns = [mode, links, owner, size, timeText(node.meta.mtime), nameText(one)];
    if (layerWidth > 0) columns.unshift(String(layer ?? '-').padStart(layerWidth));
    yield columns.join(' ');
  }
}

function cellsOf({ node }: ListedName): [links: string, owner: string, size: string] {
  const { nlink, meta } = node;
  const size =
    node.kind === 'file' ? String(node.content.size) : 'major' in node ? `${node.major},${node.minor}` : '0';
  return [String(nlink), `${meta.uid}:${meta.gid}`, size];
}

function nameText({ path, node }: ListedName): string {
  const name = visibleText(path) || '.';
  return node.kind === 'symlink' ? `${name} -> ${visibleText(node.target)}` : name;
}

/** `2021-03-04 05:06`, in UTC. */
function timeText(time: bigint): string {
  const date = showDate(time);
  return /^\d{4}-/.test(date) ? date.slice(0, 16).replace('T', ' ') : date;
}
