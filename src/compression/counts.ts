import type { Limits } from '../context.js';
import { maxMetadata } from '../tar/footprint.js';
import { Allowance, type SharedAllowance } from '../threads/allowance.js';

/** What the members of all layers of an image may come to: their number, and what their headers take in memory. */
export interface Counts {
  readonly entries: Allowance;
  readonly metadata: Allowance;
}

export type SharedCounts = { readonly [key in keyof Counts]: SharedAllowance };

const hint = 'if you trust the image, raise the bound with {maxEntries}';

/** The same bounds as a {@link Budget} has, which counts more when a layer is read: what it takes is never refused here. */
export function countsOf(limits: Limits): Counts {
  const { entries, metadata } = most(limits);
  return {
    entries: new Allowance(entries, { what: 'more than # entries', hint }),
    metadata: new Allowance(metadata, {
      what: 'headers, names and xattrs of more than # bytes together',
      hint,
    }),
  };
}

export function raiseCounts(counts: Counts, limits: Limits): void {
  const { entries, metadata } = most(limits);
  counts.entries.raise(entries);
  counts.metadata.raise(metadata);
}

export function sharedCounts({ entries, metadata }: Counts): SharedCounts {
  return { entries: entries.shared, metadata: metadata.shared };
}

function most(limits: Limits) {
  return { entries: limits.maxEntries, metadata: maxMetadata(limits) };
}
