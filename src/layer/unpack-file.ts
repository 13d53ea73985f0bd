import { randomBytes } from 'node:crypto';
import {
  constants,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { FlattenError, ioError } from '../errors.js';
import type { ByteRange } from './layer.js';

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

/** Reads at most `target.length` bytes at `position` of a range; 0 only at its end. */
export function readRange(range: ByteRange, target: Uint8Array, position: number): number {
  const length = Math.min(target.length, range.length - position);
  if (length <= 0) return 0;
  const read = readSync(range.fd, target, 0, length, range.offset + position);
  if (read === 0) throw new FlattenError('IO', 'the file became shorter while it was read');
  return read;
}

/** Yields a range's bytes in runs of `buffer`'s size; each is gone when the next is asked for. */
export function* chunksOf(range: ByteRange, buffer: Buffer): Generator<Buffer> {
  for (let position = 0; position < range.length; ) {
    const read = readRange(range, buffer, position);
    position += read;
    yield buffer.subarray(0, read);
  }
}

/** Writes all of `bytes` at `position`. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
