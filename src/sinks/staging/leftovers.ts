import { lstatSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from './place.js';
import { removeTree } from './remove.js';
import { parseSibling } from './sibling.js';

/**
 * Removes what runs that were killed left beside an output. Where one was killed between the two renames of a
 * replacement, the old output is put back.
 */
export async function removeLeftovers({ parent, name, target }: Place): Promise<void> {
  for (const entry of readdirSync(parent)) {
    const sibling = parseSibling(name, entry);
    if (sibling === undefined || sibling.isAlive) continue;
    const path = join(parent, entry);
    if (!isOurs(path)) continue;
    if (sibling.isOld && lstatSync(target, { throwIfNoEntry: false }) === undefined) renameSync(path, target);
    else await removeTree(path).catch(() => {}); // one that resists is no reason not to write
  }
}

/** In a directory that all may write to, another user's files are left alone. */
function isOurs(path: string): boolean {
  const uid = process.geteuid?.();
  return uid === 0 || lstatSync(path, { throwIfNoEntry: false })?.uid === uid;
}
