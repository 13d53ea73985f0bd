import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Digest, isDigest } from '../oci/digest.js';
import { isOfTheDead } from './lock.js';
import { existingPlace } from './place.js';
import { ofCache } from './trouble.js';

/** A lock whose holder shows no sign of life for so long is nobody's. */
const STALE_MS = 60_000;

/** Something in a cache. */
export interface CacheEntry {
  readonly digest: Digest;
  readonly bytes: number;
  /** When it was last used. */
  readonly used: Date;
  /** It is not whole: a run was ended while it fetched it, or fetches it still. */
  readonly isPartial: boolean;
  readonly path: string;
}

/** What is in a cache, the last used first; nothing where there is no cache. Throws {@link CacheTrouble} for one that may not be used. */
export function cacheEntries(path: string): readonly CacheEntry[] {
  return ofCache(() => {
    if (existingPlace(path) === undefined) return [];
    const whole = ['sha256', 'sha512'].flatMap((algorithm) =>
      entriesIn(join(path, 'blobs', algorithm), (name) => `${algorithm}:${name}`, false),
    );
    const partial = entriesIn(join(path, 'partial'), (name) => name.replace('-', ':'), true);
    return [...whole, ...partial].sort((a, b) => b.used.getTime() - a.used.getTime());
  });
}

/**
 * Removes what was used longest ago until no more than `size` bytes are left; gives what was removed. A run that reads an entry keeps it open
 * and is not disturbed; a part that is being fetched stays.
 */
export function pruneCache(path: string, size: number): readonly CacheEntry[] {
  const removed: CacheEntry[] = [];
  removeLeftovers(join(path, 'partial'));
  let left = size;
  for (const entry of cacheEntries(path)) {
    left -= entry.bytes;
    if (left >= 0 || (entry.isPartial && isHeld(`${entry.path}.lock`))) continue;
    ofCache(() => rmSync(entry.path, { force: true }));
    removed.push(entry);
    left += entry.bytes;
  }
  return removed;
}

/** Copies of parts and locks that a process was about to put in their place when it was killed. */
function removeLeftovers(directory: string): void {
  for (const name of namesIn(directory)) {
    if (!/^sha(256|512)-[0-9a-f]+(\.lock)?\.[0-9a-f]{12}$/.test(name)) continue;
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > STALE_MS) rmSync(path, { force: true });
  }
}

function entriesIn(directory: string, digestOf: (name: string) => string, isPartial: boolean): CacheEntry[] {
  return namesIn(directory).flatMap((name) => {
    const digest = digestOf(name);
    const path = join(directory, name);
    // Another run may have removed it.
    const stat = isDigest(digest) ? lstatSync(path, { throwIfNoEntry: false }) : undefined;
    if (!stat?.isFile()) return [];
    return [{ digest: digest as Digest, bytes: stat.size, used: stat.mtime, isPartial, path }];
  });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function isHeld(lock: string): boolean {
  const stat = lstatSync(lock, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs < STALE_MS && !isOfTheDead(lock);
}
