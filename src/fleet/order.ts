import type { Look } from '../sources/remote-look.js';

/** What is known cheaply of the work that an image is. */
interface Work {
  /** Stored bytes of its layers or of its archive. */
  readonly size: number;
  readonly look?: Look;
}

/**
 * The order in which images are made. Those that share their lowest layer stand together, so that it is still in memory, and so that a cache that is
 * too small for all bases has the one that is wanted. The largest come first, in the list and among those of one base: a large one that
 * begins last is waited for alone.
 */
export function inOrder<T extends Work>(works: readonly T[]): T[] {
  const groups = new Map<unknown, T[]>();
  for (const work of works) {
    const base = work.look?.layers[0]?.digest ?? work;
    const group = groups.get(base);
    if (group) group.push(work);
    else groups.set(base, [work]);
  }
  const sorted = [...groups.values()].map((group) => group.sort(bySize));
  return sorted.sort(([a], [b]) => bySize(a!, b!)).flat();
}

function bySize(a: Work, b: Work): number {
  return b.size - a.size;
}
