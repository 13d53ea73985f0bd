import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { FlattenError, ioError, printable } from '../../errors.js';
import { sizeText } from '../../size-text.js';
import { homes } from './homes.js';
import { isInside, isWithin, namesOf } from './names-of.js';

/** What an output is: a file, a tree, or an OCI layout, which replaces nothing but layouts. */
export type Kind = 'file' | 'directory' | 'layout';

/** What is known of a replacement. */
export interface Replacement {
  /** Replace an existing output. */
  readonly force: boolean;
  /** The names at the top of the new tree (latin1), once they are known. */
  readonly top?: ReadonlySet<string>;
}

/** One of these at its top makes a directory look like a root filesystem. */
const OF_A_ROOTFS = ['bin', 'dev', 'etc', 'lib', 'proc', 'sbin', 'sys', 'usr', 'var'];

function isOfARootfs(name: string): boolean {
  return OF_A_ROOTFS.includes(name);
}

/** Directories whose own directories are the running system's, whatever they look like. */
const OF_THE_SYSTEM = ['/', '/usr', '/usr/local', '/etc'];

/** Where the homes of users lie that no user database of this machine lists: of a directory service, say. */
const OF_HOMES = '/home';

/** Names that an error lists. */
const SHOWN = 4;

/**
 * Throws `OUTPUT_EXISTS` where `output` is there and may not be replaced; an empty directory is fine for a directory.
 * `force` does not help where a directory does not look like what an earlier run wrote, or is somebody's home, the
 * system's, or a place of work: what is in it may be all that there is of it. Throws `UNSUPPORTED` where it cannot be replaced at all:
 * a device, a mount point. Changes nothing. `path` leads to the output, where its name may not.
 */
export function refuseExisting(
  output: string,
  kind: Kind,
  replacement: Replacement,
  path = resolve(output), // without a trailing slash, which would follow a symlink
): void {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isDirectory()) refuseDirectory(output, path, kind, replacement);
    else if (stat !== undefined) refuseFile(output, stat, replacement);
  } catch (error) {
    throw ioError(error, `${output}: cannot be written`);
  }
}

function refuseFile(output: string, stat: Stats, { force }: Replacement): void {
  if (!stat.isFile() && !stat.isSymbolicLink())
    throw new FlattenError('UNSUPPORTED', `${output}: is no file or directory, and is not replaced`);
  if (force) return;
  const what = stat.isFile() ? `file of ${sizeText(stat.size)}` : 'symlink';
  throw outputExists(output, `add {force} to replace the ${what}`);
}

function refuseDirectory(output: string, path: string, kind: Kind, { force, top }: Replacement): void {
  const names = readdirSync(path, { encoding: 'latin1' });
  const held = holds(names);
  const reason = whyKept(realpathSync(path), names, kind, top);
  if (reason !== undefined) {
    throw outputExists(
      `${output}`,
      `it ${held}, and is not replaced, since it ${reason}: name another output, or remove it yourself with rm -r`,
    );
  }
  const isFree = kind !== 'file' && names.length === 0;
  if (!isFree && !force) {
    // Whether the new tree has one of these names too is not known before there is one.
    const isLikely = kind !== 'directory' || top !== undefined || names.some(isOfARootfs);
    throw outputExists(
      output,
      isLikely
        ? `it ${held}: add {force} to delete that and put the new output in its place`
        : `it ${held}, and does not look like a root filesystem: name another output, or remove it yourself with rm -r`,
    );
  }
  refuseMounts(output, path);
}

/** Why a directory is not to be replaced, whatever the user says. */
function whyKept(
  real: string,
  names: readonly string[],
  kind: Kind,
  top?: ReadonlySet<string>,
): string | undefined {
  const own = namesOf(real);
  const isIn = (directories: readonly string[]) =>
    own.own.some((name) => directories.includes(dirname(name)));
  const home = homes()
    .filter((path) => isInside(path, own))
    .sort()[0];
  if (home === real || (isIn([OF_HOMES]) && statSync(real).uid !== 0)) return 'is a home directory';
  if (names.length > 0 && isIn(OF_THE_SYSTEM)) return 'is a directory of the running system';
  if (home !== undefined) return `holds the home directory ${home}`;
  if (isInside(workingDirectory() ?? '', own)) return 'holds the working directory';
  if (names.length === 0) return undefined;
  if (names.includes('.git')) return 'holds a Git repository';
  if (kind === 'file') return 'is a directory with content, and the output is a file';
  if (kind === 'layout') return names.includes('oci-layout') ? undefined : 'is no OCI layout';
  const looksAlike = names.some((name) => isOfARootfs(name) || (top?.has(name) ?? true));
  return looksAlike ? undefined : 'does not look like a root filesystem';
}

function workingDirectory(): string | undefined {
  try {
    return realpathSync(process.cwd());
  } catch {
    return undefined;
  }
}

/** As `holds 214 entries: docs, music, …`. */
function holds(names: readonly string[]): string {
  if (names.length === 0) return 'is empty';
  const shown = [...names].sort().slice(0, SHOWN).map(printable);
  if (names.length > SHOWN) shown.push('…');
  return `holds ${names.length} ${names.length === 1 ? 'entry' : 'entries'}: ${shown.join(', ')}`;
}

/**
 * Throws `UNSUPPORTED` where a directory is a mount point or has one in it, since renames and removal would reach too far, or
 * where a part of it is mounted elsewhere, since that would be emptied.
 */
function refuseMounts(output: string, path: string): void {
  const real = realpathSync(path);
  const [point] = namesOf(real).points;
  if (point === undefined) return;
  if (isWithin(point, real)) throw isMounted(output, `${point} is a mount point`);
  throw isMounted(output, `it, or a part of it, is mounted at ${point} too`);
}

export function isMounted(output: string, what: string): FlattenError {
  return new FlattenError('UNSUPPORTED', `${output}: cannot be replaced, since ${what}`, {
    hint: `name a directory in it: {output: ${resolve(output, 'rootfs')}/}`,
  });
}

export function outputExists(output: string, hint = 'add {force} to replace it'): FlattenError {
  return new FlattenError('OUTPUT_EXISTS', `${output}: exists already`, { hint });
}
