import { randomBytes } from 'node:crypto';
import { constants, fstatSync, lstatSync, renameSync, rmSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';

/** Whether a path is still the name of an open file. It is not once somebody has taken the work over with {@link ownPart}. */
export function isNamed(path: string, fd: number): boolean {
  const there = lstatSync(path, { throwIfNoEntry: false });
  const { ino, dev } = fstatSync(fd);
  return there?.ino === ino && there.dev === dev;
}

/** Removes an open file, unless its name is another one's by now. */
export function removePart(path: string, fd: number): void {
  if (isNamed(path, fd)) rmSync(path, { force: true });
}

/**
 * Puts a copy in the place of a part that another process may still write to, though it has shown no sign of life: when it goes on, it writes to a
 * file that has no name any more. A part that cannot be copied is removed.
 */
export async function ownPart(path: string): Promise<void> {
  const copy = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    await copyFile(path, copy, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    renameSync(copy, path);
  } catch {
    for (const each of [copy, path]) rmSync(each, { force: true });
  }
}
