import { type CacheEntry, cacheEntries, pruneCache } from '../../cache/prune.js';
import { cachePath, DEFAULT_CACHE_SIZE } from '../../cache/settings.js';
import { CacheTrouble } from '../../cache/trouble.js';
import { FlattenError } from '../../errors.js';
import { countText } from '../../size-text.js';
import { showSize } from '../numbers.js';
import { printJson, type ReportFlags } from '../report.js';

/** The options of `flatten cache`, as commander gives them. */
export interface CacheFlags extends ReportFlags {
  readonly cache?: string;
  readonly cacheSize?: number;
}

/** Does what `flatten cache` was asked for. Throws `USAGE` where there is no cache, and `IO` for one that may not be used. */
export function actOnCache(action: 'ls' | 'prune', flags: CacheFlags): void {
  const path = cachePath(flags.cache);
  if (path === undefined) throw new FlattenError('USAGE', '{cache: none}: there is no cache');
  if (action === 'ls' && flags.cacheSize !== undefined)
    throw new FlattenError('USAGE', '{cacheSize}: only prune has a use for it');
  try {
    if (action === 'ls') list(path, flags);
    else prune(path, flags);
  } catch (error) {
    if (!(error instanceof CacheTrouble)) throw error;
    throw new FlattenError('IO', error.message, { cause: error });
  }
}

function list(path: string, { json, quiet }: CacheFlags): void {
  const entries = cacheEntries(path);
  if (json) {
    printJson({ cache: path, bytes: sum(entries), entries: entries.map(shownEntry) });
    return;
  }
  const width = Math.max(0, ...entries.map(({ bytes }) => showSize(bytes).length));
  for (const { digest, bytes, used, isPartial } of entries) {
    const when = used.toISOString().slice(0, 16).replace('T', ' ');
    const part = isPartial ? '  (not whole)' : '';
    process.stdout.write(`${digest}  ${showSize(bytes).padStart(width)}  ${when}${part}\n`);
  }
  if (!quiet)
    process.stderr.write(`${path}: ${countText(entries.length)} blobs, ${showSize(sum(entries))}\n`);
}

function prune(path: string, { json, quiet, cacheSize = DEFAULT_CACHE_SIZE }: CacheFlags): void {
  const before = cacheEntries(path);
  const removed = pruneCache(path, cacheSize);
  const left = sum(before) - sum(removed);
  if (json) printJson({ cache: path, bytes: left, removed: removed.map(shownEntry) });
  else if (!quiet) {
    const counts = `${countText(removed.length)} of ${countText(before.length)} blobs removed`;
    process.stderr.write(`${path}: ${counts}, ${showSize(sum(removed))}; ${showSize(left)} are left\n`);
  }
}

function shownEntry({ digest, bytes, used, isPartial }: CacheEntry): object {
  return { digest, bytes, used: used.toISOString(), ...(isPartial && { isPartial }) };
}

function sum(entries: readonly CacheEntry[]): number {
  return entries.reduce((total, { bytes }) => total + bytes, 0);
}
