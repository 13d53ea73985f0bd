import { basename } from 'node:path';

const HEADINGS = ['contest', 'input', 'flatten', 'against', '', 'ratio', 'target', ''];
const RIGHT = new Set([2, 4, 5]);

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

function cellsOf({ name, input, unit, ours, against, theirs, ratio, target, ok, note }) {
  if (note) return [name, basename(input), '', against, '', '', target, note];
  const verdict = ok === undefined ? '' : ok ? 'ok' : 'MISS';
  return [
    name,
    input,
    amount(ours, unit),
    against,
    amount(theirs, unit),
    ratio?.toFixed(2) ?? '',
    target,
    verdict,
  ];
}

function amount(value, unit) {
  if (value === undefined) return '';
  if (unit === 's') return `${value.toFixed(2)} s`;
  return value < 1e5 ? `${Math.round(value)} B` : `${(value / 1e6).toFixed(value < 1e8 ? 1 : 0)} MB`;
}
