import { statfsSync } from 'node:fs';
import type { Libc } from '../../host/libc.js';
import type { Losses } from '../../losses.js';
import type { Metadata } from '../../rootfs/node.js';

const REFUSALS: Readonly<Record<string, string>> = {
  EPERM: 'not permitted',
  EACCES: 'not permitted',
  ENOTSUP: 'not supported by the file system',
  EINVAL: 'refused as invalid by the system',
  E2BIG: 'longer than the system takes',
  ERANGE: 'longer than the system takes',
  ENOSPC: 'longer than the file system takes',
};

/**
 * Sets xattrs through the C library. For files after chown and write, which clear `security.capability`; before chmod,
 * since ACLs change the mode and a file without write permission takes no `user.` xattrs. What the system refuses is a loss.
 */
export function setXattrs(
  libc: Libc,
  host: Buffer,
  xattrs: Metadata['xattrs'],
  path: () => string,
  losses: Losses,
): void {
  for (const [name, value] of xattrs) {
    try {
      libc.lsetxattr(host, name, value);
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException;
      const reason = REFUSALS[code];
      if (reason === undefined || (code === 'ENOSPC' && isFull(host))) throw error;
      losses.add('xattr', path(), `${name}: ${reason}`);
    }
  }
}

/** `ENOSPC` may also mean that an inode has no room for one more xattr. */
function isFull(host: Buffer): boolean {
  const { bavail, ffree } = statfsSync(host.subarray(0, host.lastIndexOf(0x2f)));
  return bavail === 0 || ffree === 0;
}
