import { constants, fstatSync, openSync, readlinkSync, statSync } from 'node:fs';

const DIRECTORY = constants.O_DIRECTORY | constants.O_NOFOLLOW;
const O_PATH = 0o10000000; // Linux: opens without permission to read

/** Opens a directory, and nothing that a symlink leads to. One that may be entered but not read is opened all the same. */
export function openDirectory(path: string): number {
  try {
    return openSync(path, DIRECTORY);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES' || process.platform !== 'linux') throw error;
    return openSync(path, DIRECTORY | O_PATH);
  }
}

/**
 * A path that leads to an open directory, whoever renames it or puts something else in its place; child processes of
 * this user can follow it too, as long as this one has the directory open. Where there is no `/proc`, and where children
 * could not follow it, since this process gave up another user's rights: `name`. Source: proc_pid_fd(5).
 */
export function pathOfDescriptor(fd: number, name: string): string {
  try {
    // Not process.pid: /proc may count processes from another namespace.
    const descriptors = `/proc/${readlinkSync('/proc/self')}/fd`;
    const path = `${descriptors}/${fd}`;
    const [there, open] = [statSync(path), fstatSync(fd)];
    if (statSync(descriptors).uid === process.geteuid?.() && there.dev === open.dev && there.ino === open.ino)
      return path;
  } catch {}
  return name;
}
