import type { Why } from '../../inspect/hidden.js';
import type { Inspection } from '../../inspect/inspect.js';
import type { Notable } from '../../inspect/notable.js';
import type { WastedPath } from '../../inspect/waste.js';
import { short } from '../../oci/digest.js';
import { formatPlatform } from '../../oci/platform.js';
import { shown } from '../../oci/shown.js';
import { visibleText } from '../../rootfs/path-text.js';
import { countText } from '../../size-text.js';
import { showSize } from '../numbers.js';
import { barOf, barStyle } from './bar.js';
import { commandText } from './command-text.js';

/** Characters of a layer's bar. */
const BAR = 16;
/** Paths of one kind that are shown on the screen; JSON has all. */
const MAX_NOTABLE = 5;

/** An inspection for a person, on about one screen. */
export function inspectionLines(found: Inspection, layers: number): string[] {
  return [
    ...headLines(found),
    '',
    ...layerLines(found),
    '',
    ...wasteLines(found, layers),
    ...twiceLines(found),
    ...notableLines(found.notable),
    ...diskLines(found),
  ];
}

function headLines({ image, start, tree }: Inspection): string[] {
  const { name, kind, digest, platform } = image;
  const files = `${countText(tree.entries)} names, ${showSize(tree.bytes)}`;
  const holes = tree.holes > 0 ? ` (${showSize(tree.holes)} of them in holes)` : '';
  const what = [kind, ...(platform ? [formatPlatform(platform)] : []), ...(digest ? [short(digest)] : [])];
  const rows: [string, string][] = [['tree', files + holes]];
  if (start) {
    rows.push(
      ['entrypoint', words(start.entrypoint)],
      ['command', words(start.cmd)],
      ['user', shown(start.user) || 'root'],
    );
    rows.push(['directory', shown(start.workingDir)], ['environment', start.env.map(shown).join('  ')]);
    rows.push(
      ['ports', start.exposedPorts.map(shown).join('  ')],
      ['volumes', start.volumes.map(shown).join('  ')],
    );
    rows.push([
      'labels',
      Object.entries(start.labels)
        .map(([key, value]) => shown(`${key}=${value}`))
        .join('  '),
    ]);
  }
  const shownRows = rows
    .filter(([, text]) => text !== '')
    .map(([label, text]) => `  ${label.padEnd(12)} ${text}`);
  return [`${shown(name)}: ${what.join(', ')}`, ...shownRows];
}

function words(list: readonly string[]): string {
  return list.length === 0 ? '' : shown(JSON.stringify(list));
}

function layerLines({ layers, waste }: Inspection): string[] {
  const style = barStyle(process.env);
  const largest = Math.max(1, ...layers.map(({ bytes }) => bytes));
  const header = ['layer', '', 'files', 'wasted', 'stored', 'entries', 'added', 'changed', 'removed'];
  const rows = layers.map((layer, index) => {
    const wasted = waste.ofLayers[index]!;
    return [
      String(layer.number),
      barOf({ shown: layer.bytes - wasted, wasted, whole: largest, width: BAR }, style),
      showSize(layer.bytes),
      showSize(wasted),
      showSize(layer.size),
      countText(layer.entries),
      countText(layer.added.names),
      countText(layer.changed.names),
      countText(layer.removed.names),
    ];
  });
  const widths = header.map((title, at) => Math.max(title.length, ...rows.map((row) => row[at]!.length)));
  const line = (row: readonly string[]) =>
    row.map((cell, at) => (at === 1 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  ');
  return [
    line(header),
    ...rows.map((row, index) =>
      [line(row), commandText(layers[index]!.createdBy) ?? ''].join('  ').trimEnd(),
    ),
  ];
}

const WORD: Readonly<Record<Why, string>> = {
  overwritten: 'overwritten',
  removed: 'removed',
  metadata: 'metadata only',
  bookkeeping: 'bookkeeping',
};

function wasteLines({ waste, layers, twice }: Inspection, count: number): string[] {
  const { bytes, carried, by, worst } = waste;
  const share = carried === 0 ? 0 : (100 * bytes) / carried;
  const parts = (Object.keys(WORD) as Why[])
    .filter((why) => why !== 'bookkeeping' || by[why].bytes > 0)
    .map((why) => `${WORD[why]} ${showSize(by[why].bytes)}`);
  const how = twice === undefined && by.metadata.bytes > 0 ? ', told by size and time' : '';
  const total = `waste: ${showSize(bytes)} of ${showSize(carried)} in ${count === 1 ? '1 layer' : `${count} layers`} (${share.toFixed(1)}%)`;
  const width = Math.max(0, ...worst.map((each) => showSize(each.bytes).length));
  return [
    `${total}: ${parts.join(', ')}${how}`,
    ...worst.map((each) => `  ${showSize(each.bytes).padStart(width)}  ${worstText(each, layers)}`),
  ];
}

function worstText({ path, hidden }: WastedPath, layers: Inspection['layers']): string {
  const last = hidden[hidden.length - 1]!;
  const from = [...new Set(hidden.map(({ layer }) => layer))].sort((a, b) => a - b).join(', ');
  const command = commandText(layers[last.by - 1]?.createdBy);
  return `${visibleText(path)}  layer ${from}; ${WORD[last.why]} by layer ${last.by}${command ? `: ${command}` : ''}`;
}

function twiceLines({ twice }: Inspection): string[] {
  if (twice === undefined) return [];
  const width = Math.max(0, ...twice.worst.map(({ bytes }) => showSize(bytes).length));
  return [
    `same content twice in the tree: ${showSize(twice.bytes)} in ${countText(twice.files)} ${twice.files === 1 ? 'file' : 'files'}`,
    ...twice.worst.map(({ paths, bytes }) => `  ${showSize(bytes).padStart(width)}  ${listed(paths)}`),
  ];
}

function diskLines({ disks = {} }: Inspection): string[] {
  const sizes = Object.entries(disks).map(([format, bytes]) => `${format} ${showSize(bytes)}`);
  return sizes.length === 0 ? [] : [`disk image: ${sizes.join(', ')}`];
}

const TITLES = {
  setuid: 'setuid or setgid',
  capabilities: 'capabilities',
  devices: 'devices',
  worldWritable: 'world-writable',
} as const satisfies Record<keyof Notable, string>;

function notableLines(notable: Notable): string[] {
  return (Object.keys(TITLES) as (keyof Notable)[])
    .filter((what) => notable[what].length > 0)
    .map((what) => `${TITLES[what]}: ${listed(notable[what])}`);
}

function listed(paths: readonly string[]): string {
  const more = paths.length - MAX_NOTABLE;
  const first = paths
    .slice(0, MAX_NOTABLE)
    .map((path) => visibleText(path) || '.')
    .join('  ');
  return more > 0 ? `${first}  and ${countText(more)} more` : first;
}
