import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { FlattenError, ioError } from '../../errors.js';

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
    const typed = dirname(output);
    throw new FlattenError('NOT_FOUND', `${typed}: the output's directory is not there`, {
      hint: `mkdir -p ${typed}`,
    });
  }
}
