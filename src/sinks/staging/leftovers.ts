import { closeSync, fstatSync, lstatSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { FlattenError } from '../../errors.js';
import { openDirectory, pathOfDescriptor } from './descriptor.js';
import { NAMES } from './names.js';
import type { Place } from './place.js';
import { isOwn } from './private.js';
import { removeContents } from './remove.js';
import { parseSibling } from './sibling.js';

const KNOWN: ReadonlySet<string> = new Set(Object.values(NAMES));

/**
 * Removes what runs that were killed left beside an output; `parent` leads to its directory. Where one was killed
 * while it replaced the output, and the old one is gone from its place, it is put back. Only private directories of this
 * user with nothing in them but what a run puts there count: a name proves nothing in a directory of somebody else.
 */
export async function removeLeftovers({ name, target }: Place, parent: string): Promise<void> {
  for (const entry of readdirSync(parent)) {
    const sibling = parseSibling(name, entry);
    if (sibling === undefined || sibling.isAlive) continue;
    const path = join(parent, entry);
    const fd = opened(path);
    if (fd === undefined) continue;
    try {
      await removeLeftover(fd, path, join(parent, name), target);
    } finally {
      closeSync(fd);
    }
  }
}

async function removeLeftover(fd: number, path: string, place: string, target: string): Promise<void> {
  const inside = pathOfDescriptor(fd, path);
  const names = readdirSync(inside);
  const isPrivate = isOwn(fd) && (fstatSync(fd).mode & 0o7777) === 0o700;
  if (!isPrivate || !names.every((name) => KNOWN.has(name))) return;
  if (names.includes(NAMES.old)) {
    const isGone = lstatSync(place, { throwIfNoEntry: false }) === undefined;
    if (isGone) renameSync(join(inside, NAMES.old), place);
    else if (names.includes(NAMES.made)) throw unfinished(target, join(path, NAMES.old));
  }
  try {
    await removeContents(fd, inside);
    rmdirSync(path);
  } catch {} // what resists is no reason not to write
}

/** Undefined for what is no directory that this user can open. */
function opened(path: string): number | undefined {
  try {
    return openDirectory(path);
  } catch {
    return undefined;
  }
}

function unfinished(target: string, old: string): FlattenError {
  return new FlattenError(
    'OUTPUT_EXISTS',
    `${target}: a run that replaced it was killed, and this may be half of it`,
    {
      hint: `all of the old one is in ${old}: move it back, or remove it`,
    },
  );
}
