import { randomBytes } from 'node:crypto';
import { constants, lstatSync, openSync, readdirSync, rmSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { ioError } from '../errors.js';

/** Linux: opens a file that never has a name. Its flag is meant with O_DIRECTORY: open(2). */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
/** What a system or file system without such files says. */
const NO_TMPFILE = ['EOPNOTSUPP', 'EISDIR', 'EINVAL', 'ENOENT', 'ENOTSUP'];

/** Opens an empty file without a name: it goes when it is closed, or with the process. */
export function unlinkedFile(directory: string): number {
  try {
    return namelessFile(directory) ?? unlinkedAtOnce(directory);
  } catch (error) {
    throw ioError(error, `temporary file in ${directory}`);
  }
}

/** Undefined where the file system has none. */
function namelessFile(directory: string): number | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return openSync(directory, O_TMPFILE | constants.O_RDWR | constants.O_EXCL, 0o600);
  } catch (error) {
    if (NO_TMPFILE.includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The next best. A run that is killed between the two calls leaves an empty file, which the next run removes. */
function unlinkedAtOnce(directory: string): number {
  removeUnlinked(directory);
  const path = join(directory, `${PREFIX}${process.pid}-${randomBytes(8).toString('hex')}`);
  const fd = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  return fd;
}

const PREFIX = '.flatten-spool-';

/** Removes this user's empty files of runs that are no more. */
function removeUnlinked(directory: string): void {
  for (const name of readdirSync(directory)) {
    const [, pid] = /^\.flatten-spool-(\d+)-[0-9a-f]{16}$/.exec(name) ?? [];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(directory, name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    const isOurs = stat?.isFile() && stat.size === 0 && stat.uid === process.geteuid?.();
    if (isOurs) rmSync(path, { force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
