import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fstatSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Turn } from '../../threads/turn.js';

/** Directories open at once. Below that a directory is first moved to the top, so that depth costs no descriptors. */
const MAX_OPEN = 12;
const O_PATH = 0o10000000; // Linux: opens without permission to read

/** A directory that is being emptied. */
interface Frame {
  readonly fd: number;
  /** Undefined at the top, which stays. */
  readonly path: Buffer | undefined;
  /** Still to be removed. */
  readonly names: Buffer[];
}

/**
 * Removes a path, whatever it is; fine if there is nothing. Follows no symlink, also when others change the tree
 * meanwhile: it walks by open directories (`/proc/self/fd`), not by paths. Directories without permissions are opened
 * up first; depth and length of paths have no bound. What is mounted inside is an error and stays.
 */
export async function removeTree(path: string): Promise<void> {
  if (!existsSync('/proc/self/fd')) return rm(path, { recursive: true, force: true });
  const target = Buffer.from(path);
  if (isUnlinked(target)) return;
  const fd = openDirectory(target);
  try {
    await removeContents(fd, path);
  } finally {
    closeSync(fd);
  }
  rmdirSync(target);
}

/** Empties an open directory, which stays open, as {@link removeTree} does. Where there is no `/proc`, by its `path`. */
export async function removeContents(fd: number, path: string): Promise<void> {
  if (!existsSync('/proc/self/fd')) {
    for (const name of readdirSync(path)) await rm(join(path, name), { recursive: true, force: true });
    return;
  }
  const turn = new Turn();
  const { dev } = fstatSync(fd);
  const frames: Frame[] = [{ fd, path: undefined, names: list(fd) }];
  try {
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      if (turn.due()) await turn.give();
      const name = frame.names.pop();
      if (name === undefined) leave(frames, frame);
      else remove(frames, inside(frame.fd, name), dev);
    }
  } finally {
    for (const frame of frames) if (frame.path !== undefined) closeSync(frame.fd);
  }
}

/** Removes one name; a directory is only opened, and emptied next. */
function remove(frames: Frame[], path: Buffer, dev: number): void {
  if (isUnlinked(path)) return;
  const frame = openFrame(path);
  frames.push(frame);
  if (fstatSync(frame.fd).dev !== dev) {
    throw Object.assign(new Error('EBUSY: another file system is mounted in it'), { code: 'EBUSY' });
  }
  if (frames.length <= MAX_OPEN) return;
  frames.pop();
  closeSync(frame.fd);
  renameSync(path, inside(frames[0]!.fd, Buffer.from(randomBytes(16).toString('hex'))));
}

/** A directory's names are used up: removes it, unless deep directories were moved into it meanwhile. */
function leave(frames: Frame[], frame: Frame): void {
  if (frame.path === undefined) frame.names.push(...list(frame.fd));
  if (frame.names.length > 0) return;
  frames.pop();
  if (frame.path === undefined) return;
  rmdirSync(frame.path);
  closeSync(frame.fd);
}

function openFrame(path: Buffer): Frame {
  const fd = openDirectory(path);
  return { fd, path, names: list(fd) };
}

function openDirectory(path: Buffer): number {
  const flags = constants.O_DIRECTORY | constants.O_NOFOLLOW;
  try {
    const fd = openSync(path, flags);
    if ((fstatSync(fd).mode & 0o700) !== 0o700) fchmodSync(fd, 0o700);
    return fd;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
  const locked = openSync(path, flags | O_PATH);
  try {
    // By the descriptor: chmod of a path would follow a symlink put there meanwhile.
    chmodSync(`/proc/self/fd/${locked}`, 0o700);
  } finally {
    closeSync(locked);
  }
  return openSync(path, flags);
}

function list(fd: number): Buffer[] {
  return readdirSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
}

function inside(fd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name]);
}

/** Removes anything but a directory; false where there is one. */
function isUnlinked(path: Buffer): boolean {
  try {
    unlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EISDIR') return false;
    if (code !== 'ENOENT') throw error;
  }
  return true;
}
