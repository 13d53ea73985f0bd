import type { TreeChange } from '../../inspect/diff/trees.js';
import { showSize } from '../numbers.js';
import { type Folded, folded } from './fold.js';
import { shown } from './lines.js';

/** Columns of the bars together. */
const WIDTH = 30;
const MAX_NAME = 60;

/** What changed in size, as `git diff --stat` shows it: a line for each file, with a bar of `+` or `-`. Files whose metadata alone changed have none. */
export function statLines(changes: readonly TreeChange[]): string[] {
  const rows = folded(changes)
    .map(row)
    .filter((each) => each !== undefined && each.from + each.to > 0) as Row[];
  const largest = Math.max(1, ...rows.map(({ from, to }) => Math.abs(to - from)));
  const names = Math.min(MAX_NAME, Math.max(0, ...rows.map(({ name }) => name.length)));
  const sizes = rows.map(({ from, to }) => [showSize(from), showSize(to)] as const);
  const widths = [0, 1].map((side) => Math.max(0, ...sizes.map((pair) => pair[side]!.length)));
  return rows.map(({ name, from, to }, index) => {
    const [left, right] = sizes[index]!;
    const length = from === to ? 0 : Math.max(1, Math.round((Math.abs(to - from) * WIDTH) / largest));
    const bar = (to > from ? '+' : '-').repeat(length);
    return ` ${cut(name).padEnd(names)} | ${left.padStart(widths[0]!)} -> ${right.padStart(widths[1]!)} ${bar}`.trimEnd();
  });
}

interface Row {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function row({ change: { change, before, after, aspects }, bytes }: Folded): Row | undefined {
  if (before === undefined) return { name: shown(after!), from: 0, to: after!.size + bytes };
  if (after === undefined) return { name: shown(before), from: before.size + bytes, to: 0 };
  if (change === 'renamed')
    return { name: `${shown(before)} -> ${shown(after)}`, from: before.size, to: after.size };
  if (!aspects.includes('content') && !aspects.includes('type')) return undefined;
  const gone = before.kind === 'directory' ? bytes : 0;
  return { name: shown(after), from: before.size + gone, to: after.size + bytes - gone };
}

/** The end of a name tells more than its beginning. */
function cut(name: string): string {
  return name.length > MAX_NAME ? `…${name.slice(1 - MAX_NAME)}` : name;
}
