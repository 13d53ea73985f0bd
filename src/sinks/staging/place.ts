import { lstatSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FlattenError, ioError } from '../../errors.js';
import { mountsBelow } from './mounts.js';

export type Kind = 'file' | 'directory';

/** An output, with the symlinks of its directory resolved but not its own. */
export interface Place {
  readonly parent: string;
  readonly name: string;
  /** `parent` and `name`. */
  readonly target: string;
}

/** Throws `USAGE` for the root, `NOT_FOUND` where the directory is missing. */
export function locate(output: string): Place {
  const absolute = resolve(output);
  const name = basename(absolute);
  const directory = dirname(absolute);
  if (name === '') throw new FlattenError('USAGE', `${output}: cannot be an output`);
  try {
    const parent = realpathSync(directory);
    statSync(`${parent}/.`); // ENOTDIR for a file
    return { parent, name, target: join(parent, name) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw ioError(error, `${output}: cannot be written`);
    throw new FlattenError('NOT_FOUND', `${directory}: the output's directory is not there`, {
      hint: `mkdir -p ${directory}`,
    });
  }
}

/**
 * Throws `OUTPUT_EXISTS` where `output` is there and `force` does not allow to replace it; an empty directory is fine
 * for a directory. Throws `UNSUPPORTED` where it cannot be replaced at all: a device, a mount point. Changes nothing.
 */
export function refuseExisting(output: string, kind: Kind, options: { readonly force: boolean }): void {
  try {
    const path = resolve(output); // without a trailing slash, which would follow a symlink
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return;
    if (!stat.isFile() && !stat.isDirectory() && !stat.isSymbolicLink()) {
      throw new FlattenError('UNSUPPORTED', `${output}: is no file or directory, and is not replaced`);
    }
    const mayGo = stat.isDirectory() && kind === 'directory' && readdirSync(path).length === 0;
    if (!mayGo && !options.force) throw outputExists(output);
    if (stat.isDirectory()) refuseMounts(path);
  } catch (error) {
    throw ioError(error, `${output}: cannot be written`);
  }
}

/** Throws `UNSUPPORTED` where a directory is a mount point or has one in it: renames and removal would reach too far. */
export function refuseMounts(directory: string): void {
  const [point] = mountsBelow(realpathSync(directory));
  if (point !== undefined) throw isMounted(directory, point);
}

export function isMounted(output: string, point: string): FlattenError {
  return new FlattenError('UNSUPPORTED', `${output}: cannot be replaced, since ${point} is a mount point`, {
    hint: `name a directory in it: -o ${join(output, 'rootfs/')}`,
  });
}

export function outputExists(output: string): FlattenError {
  return new FlattenError('OUTPUT_EXISTS', `${output}: exists already`, {
    hint: 'add --force to replace it',
  });
}
