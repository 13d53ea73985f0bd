import { createHash } from 'node:crypto';
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { AddedDirectory } from '../sources/added.js';

/** Files of which one tells whether a directory's image is another one. Without any of them it is a root filesystem, which has no stamp. */
const OF_IMAGES = ['index.json', 'manifest.json', 'repositories'];

/**
 * What tells cheaply whether an archive or a layout of this machine is the one that was read before: sizes and times, which the system
 * sets. Undefined where that cannot be told: who opens it says why.
 */
export function inputStamp(path: string): string | undefined {
  const stat = attempt(() => statSync(path, { bigint: true }));
  if (stat === undefined) return undefined;
  if (stat.isFile()) return stampOf(stat);
  if (!stat.isDirectory()) return undefined;
  const stamps = OF_IMAGES.flatMap((name) => {
    const file = attempt(() => statSync(join(path, name), { bigint: true }));
    return file === undefined ? [] : [`${name}=${stampOf(file)}`];
  });
  return stamps.length === 0 ? undefined : stamps.join(' ');
}

function attempt<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/** A file that was replaced by one of the same size and mtime, as a reproducible build makes it, has another ctime. */
function stampOf({ size, mtimeNs, ctimeNs, ino }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ctimeNs}:${ino}`;
}

/** What tells whether an output is as it was made: size and mtime; of a directory those of its top, and which one it is. Undefined where nothing is there. */
export function outputStamp(path: string): string | undefined {
  const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const { size, mtimeNs, ino } = stat;
  return stat.isDirectory() ? `directory:${ino}:${mtimeNs}` : `${size}:${mtimeNs}`;
}

/** What tells whether directories that are put on top of images have changed: the names, sizes and times of all that is in them. */
export class AddedStamps {
  readonly #known = new Map<string, string>();

  of(added: readonly AddedDirectory[]): readonly string[] {
    return added.map(({ directory }) => {
      const known = this.#known.get(directory) ?? contentStamp(directory);
      this.#known.set(directory, known);
      return known;
    });
  }
}

function contentStamp(directory: string): string {
  const hash = createHash('sha256');
  const names = readdirSync(directory, { recursive: true, encoding: 'latin1' }).sort();
  for (const name of ['.', ...names]) {
    const { mode, uid, gid, size, mtimeNs, ctimeNs } = lstatSync(
      Buffer.from(join(Buffer.from(directory).toString('latin1'), name), 'latin1'),
      { bigint: true },
    );
    hash.update(`${name}\0${mode}:${uid}:${gid}:${size}:${mtimeNs}:${ctimeNs}\0`);
  }
  return hash.digest('hex');
}
