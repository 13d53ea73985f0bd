import { chmodSync, fstatSync, lstatSync, renameSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Libc } from '../../host/libc.js';
import { copyTree } from './copy.js';
import { NAMES } from './names.js';
import { removeContents } from './remove.js';

/** Where a replacement takes place. */
export interface Swap {
  /** What is finished, in the private directory. */
  readonly made: string;
  /** The output's place. */
  readonly place: string;
  /** The old output, where it is a directory: an open descriptor of what may be replaced, and a path by way of it. */
  readonly old?: { readonly fd: number; readonly path: string };
  /** The private directory, which takes the old output. */
  readonly inside: string;
  readonly libc: Libc | undefined;
}

/**
 * Puts what is finished in the place of an old output, which is in the private directory then: by one exchange where
 * the system has it, else by two renames. A directory from a lower layer of an overlayfs can do neither (`EXDEV`); it is copied
 * first, and removed where it lies only when the copy is whole. Throws with the old output where it was.
 */
export async function swap(swap: Swap): Promise<void> {
  const { made, place, inside, libc } = swap;
  try {
    if (rename2(libc, made, place, 'exchange'))
      return checkOld(swap, made, () => rename2(libc, made, place, 'exchange'));
    const old = join(inside, NAMES.old);
    move(place, old);
    try {
      checkOld(swap, old, () => {});
      move(made, place);
    } catch (error) {
      move(old, place);
      throw error;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await replaceByCopy(swap);
  }
}

/** `renameat2`; false where kernel, file system or C library do not have it. */
export function rename2(
  libc: Libc | undefined,
  from: string,
  to: string,
  how: 'exchange' | 'noreplace',
): boolean {
  try {
    const act = () => libc?.renameat2(Buffer.from(from), Buffer.from(to), how);
    if (how === 'exchange') asWritable([from, to], act);
    else act();
    return libc !== undefined;
  } catch (error) {
    if (['ENOSYS', 'EINVAL', 'ENOTSUP'].includes(codeOf(error))) return false;
    throw error;
  }
}

/** Renames into another directory. */
export function move(from: string, to: string): void {
  asWritable([from], () => renameSync(from, to), [to]);
}

/**
 * A directory that moves to another one has its `..` changed, for which it must be writable; who is not root may have to
 * see to that for a moment.
 */
function asWritable(paths: readonly string[], act: () => void, after = [...paths].reverse()): void {
  try {
    act();
    return;
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error;
  }
  const modes = paths
    .map((path) => lstatSync(path))
    .map((stat) => (stat.isDirectory() ? stat.mode & 0o7777 : undefined));
  const give = (where: readonly string[], bits: number) => {
    for (const [i, mode] of modes.entries()) if (mode !== undefined) chmodSync(where[i]!, mode | bits);
  };
  give(paths, 0o200);
  try {
    act();
  } catch (error) {
    give(paths, 0);
    throw error;
  }
  give(after, 0);
}

/** Throws where somebody has put another directory in the place of the one that may be replaced. */
function checkOld({ old, place }: Swap, path: string, undo: () => void): void {
  if (old === undefined || lstatSync(path).ino === fstatSync(old.fd).ino) return;
  undo();
  throw Object.assign(new Error(`${place} is another directory by now`), { code: 'EEXIST' });
}

async function replaceByCopy({ made, place, inside, old }: Swap): Promise<void> {
  if (old === undefined) throw new Error('only directories cannot be renamed');
  const [copy, whole] = [join(inside, NAMES.copy), join(inside, NAMES.old)];
  await copyTree(old.path, copy);
  renameSync(copy, whole); // from here on it may be put back
  try {
    await removeContents(old.fd, old.path);
    rmdirSync(place);
    move(made, place);
  } catch (error) {
    await copyTree(whole, place);
    throw error;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
