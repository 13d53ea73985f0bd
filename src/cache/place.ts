import { lstatSync, mkdirSync, type Stats, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Digest } from '../oci/digest.js';
import { CacheTrouble, ofCache } from './trouble.js';

/** The directories of a cache, and what is in them. */
export interface Place {
  /** As it was named. */
  readonly path: string;
  /** The file of a whole blob, as an OCI layout has it. */
  blob(digest: Digest): string;
  /** The file of a blob that is not whole. */
  partial(digest: Digest): string;
}

/**
 * The cache at a path, made with mode 0700 where there is none. Throws {@link CacheTrouble} where it cannot be, or where another user owns
 * it or may write to it: that user could put bytes of his in the place of what is read.
 */
export function openPlace(path: string): Place {
  return ofCache(() => {
    if (statSync(path, { throwIfNoEntry: false }) === undefined) {
      mkdirSync(dirname(resolve(path)), { recursive: true });
      make(path);
    }
    refuseOthers(path, statSync(path));
    for (const name of ['blobs', 'blobs/sha256', 'blobs/sha512', 'partial']) {
      const directory = join(path, name);
      if (lstatSync(directory, { throwIfNoEntry: false }) === undefined) make(directory);
      else refuseOthers(directory, lstatSync(directory));
    }
    tag(path);
    return placeAt(path);
  });
}

/** The same of a cache that is only looked at; undefined where there is none. */
export function existingPlace(path: string): Place | undefined {
  return ofCache(() => {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    refuseOthers(path, stat);
    return placeAt(path);
  });
}

function placeAt(path: string): Place {
  return {
    path,
    blob: (digest) => join(path, 'blobs', ...digest.split(':')),
    partial: (digest) => join(path, 'partial', digest.replace(':', '-')),
  };
}

/** Another process may make it at the same time; nobody may put a link there. */
function make(directory: string): void {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  refuseOthers(directory, lstatSync(directory));
}

function refuseOthers(path: string, stat: Stats): void {
  if (!stat.isDirectory()) throw new CacheTrouble(`${path}: is no directory`);
  if (stat.uid !== process.geteuid?.()) throw new CacheTrouble(`${path}: belongs to another user`);
  if ((stat.mode & 0o022) !== 0) throw new CacheTrouble(`${path}: other users may write to it`);
}

/** So that backups leave it out. Source: bford.info/cachedir. */
function tag(path: string): void {
  try {
    writeFileSync(join(path, 'CACHEDIR.TAG'), 'Signature: 8a477f597d28d172789f06886806bc55\n', {
      flag: 'wx',
    });
  } catch {} // it is there, or cannot be: nothing depends on it
}
