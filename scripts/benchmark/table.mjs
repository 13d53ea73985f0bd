import { basename } from 'node:path';

const HEADINGS = [
  'contest',
  'input',
  'flatten',
  'cpu',
  'against',
  '',
  'cpu',
  'ratio',
  'of any round',
  'of cpu',
  'target',
  '',
];
const RIGHT = new Set([2, 3, 5, 6, 7, 8, 9]);

/** The rows as a table for people. */
export function formatTable(rows) {
  const lines = [HEADINGS, ...rows.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines.map((cells) => line(cells, widths)).join('');
}

function line(cells, widths) {
  const padded = cells.map((cell, i) => (RIGHT.has(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])));
  return `${padded.join('  ').trimEnd()}\n`;
}

function cellsOf({ name, input, unit, ours, against, theirs, cpu = [], ratio, spread, target, ok, note }) {
  const where = [name, basename(input)];
  if (note) return [...where, '', '', against, '', '', '', '', '', target, note];
  const [ourCpu, theirCpu] = cpu.map((seconds) => (seconds ? seconds.toFixed(1) : ''));
  const verdict = ok === undefined ? '' : ok ? 'ok' : 'MISS';
  const mine = [amount(ours, unit), ourCpu ?? ''];
  const others = [amount(theirs, unit), theirCpu ?? ''];
  const [ourTime = 0, theirTime = 0] = cpu;
  const ratios = [
    ratio?.toFixed(2) ?? '',
    spread?.map((each) => each.toFixed(2)).join('-') ?? '',
    theirTime > 0 ? (ourTime / theirTime).toFixed(2) : '',
  ];
  return [...where, ...mine, against, ...others, ...ratios, target, verdict];
}

function amount(value, unit) {
  if (value === undefined) return '';
  if (unit === 's') return `${value.toFixed(2)} s`;
  return value < 1e5 ? `${Math.round(value)} B` : `${(value / 1e6).toFixed(value < 1e8 ? 1 : 0)} MB`;
}
