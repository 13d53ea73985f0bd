import { spawnSync } from 'node:child_process';
import { fchmodSync, fchownSync } from 'node:fs';
import type { Libc } from '../../host/libc.js';

/** Gives an open directory mode 0700, and takes what it would pass on to what is made in it: setgid, a foreign group, a default ACL. */
export function makeBare(fd: number, path: string, libc: Libc | undefined): void {
  const inside = `${path}/.`; // a path of /proc ends in a link, which these calls would not follow
  attempt(() => fchownSync(fd, process.geteuid!(), process.getegid!()));
  if (libc === undefined) {
    spawnSync('setfacl', ['-b', '-k', inside], { stdio: 'ignore' });
  } else {
    attempt(() => libc.lremovexattr(Buffer.from(inside), 'system.posix_acl_default'));
    attempt(() => libc.lremovexattr(Buffer.from(inside), 'system.posix_acl_access'));
  }
  fchmodSync(fd, 0o700);
}

/** For what the file system may not have, or there is none of. */
function attempt(change: () => void): void {
  try {
    change();
  } catch {}
}
