import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import type { Libc } from '../../layer/libc.js';

/** Makes a directory of mode 0700 that passes nothing on to what is made in it: no setgid, no foreign group, no default ACL. */
export function makeBareDirectory(path: string, libc: Libc | undefined): void {
  mkdirSync(path, 0o700);
  attempt(() => chownSync(path, process.geteuid!(), process.getegid!()));
  if (libc === undefined) {
    spawnSync('setfacl', ['-b', '-k', path], { stdio: 'ignore' });
  } else {
    attempt(() => libc.lremovexattr(Buffer.from(path), 'system.posix_acl_default'));
    attempt(() => libc.lremovexattr(Buffer.from(path), 'system.posix_acl_access'));
  }
  chmodSync(path, 0o700);
}

/** For what the file system may not have, or there is none of. */
function attempt(change: () => void): void {
  try {
    change();
  } catch {}
}
