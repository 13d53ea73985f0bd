import { countText } from '../size-text.js';
import type { DifferenceKind } from './difference.js';

/** In how many places two trees differ, by kind. A kind that was not found is absent. */
export type DifferenceCounts = Readonly<Partial<Record<DifferenceKind, number>>>;

/** What is said of one path, and of several. */
const WORDS: Readonly<Record<DifferenceKind, readonly [one: string, several: string]>> = {
  missing: ['is missing', 'are missing'],
  added: ['is not expected', 'are not expected'],
  type: differ('type'),
  content: differ('content'),
  links: differ('hard links'),
  target: differ('link target'),
  device: differ('device number'),
  mode: differ('mode'),
  owner: differ('owner'),
  mtime: differ('mtime'),
  xattr: differ('xattrs'),
};

function differ(what: string): readonly [string, string] {
  return [`differs in ${what}`, `differ in ${what}`];
}

/** Counts for a person, in their order: `1,204 differ in mode, 3 are missing`. */
export function showCounts(counts: DifferenceCounts): string {
  const kinds = Object.entries(counts) as [DifferenceKind, number][];
  return kinds.map(([kind, count]) => `${countText(count)} ${WORDS[kind][count === 1 ? 0 : 1]}`).join(', ');
}

/** How many differences there are of all kinds. */
export function totalOf(counts: DifferenceCounts): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}
