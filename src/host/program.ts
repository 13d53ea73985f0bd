import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { FlattenError } from '../errors.js';

/** Where systems keep programs that PATH need not name for users other than root. */
const SYSTEM_DIRECTORIES = ['/sbin', '/usr/sbin', '/usr/local/sbin', '/opt/homebrew/opt/e2fsprogs/sbin'];

/** The path of a program, from PATH or where the system keeps its own; throws `TOOL` where there is none, with `install` as the hint. */
export function findProgram(name: string, install: string): string {
  const path = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '');
  for (const directory of [...path, ...SYSTEM_DIRECTORIES]) {
    const file = join(directory, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {}
  }
  throw new FlattenError('TOOL', `${name}: is not installed`, { hint: install });
}
