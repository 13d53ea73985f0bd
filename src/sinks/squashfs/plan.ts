import { FlattenError } from '../../errors.js';
import { type Loss, Losses } from '../../losses.js';
import type { Metadata, Node, Rootfs } from '../../rootfs/node.js';
import { walk } from '../../rootfs/walk.js';
import { isWhole, wholeSeconds } from '../archive/whole-seconds.js';

const SECOND = 1_000_000_000n;
/** Users and groups together: the format numbers them with 16 bits. */
const MAX_IDS = 65_536;
const MAX_NAME = 256;
const MAX_TARGET = 65_535;
/** What the format has numbers for. */
const PREFIXES = ['user.', 'trusted.', 'security.'];

/** A tree as squashfs can hold it. */
export interface SquashfsPlan {
  /** The time of the newest inode, in seconds since 1970: the file system says that it was made then. */
  readonly time: number;
  readonly losses: readonly Loss[];
}

/** Whether the format has no place for an xattr, as for ACLs. */
export function isLeftOut(xattr: string): boolean {
  return !PREFIXES.some((prefix) => xattr.startsWith(prefix));
}

/**
 * Finds out what the format cannot hold. sqfstar gives the root directory the ids of whoever runs it, and the time of the newest
 * inode. Throws `UNSUPPORTED`, naming path and limit, for what it cannot hold at all.
 */
export function planSquashfs({ root }: Rootfs, options: { readonly strict: boolean }): SquashfsPlan {
  const losses = new Losses(options);
  const ids = new Set<number>();
  const seen = new Set<Node>();
  let time = 0;
  for (const { path, node } of walk(root)) {
    refuseTooLong(path, node);
    if (seen.has(node)) continue;
    if (node.nlink > 1) seen.add(node);
    const { mtime, uid, gid } = node.meta;
    ids.add(uid).add(gid);
    if (ids.size > MAX_IDS)
      throw new FlattenError(
        'UNSUPPORTED',
        `squashfs holds ${MAX_IDS} users and groups, and this is one more`,
        { path },
      );
    time = Math.max(time, wholeSeconds(mtime));
    if (path !== '') addLosses(losses, path, node.meta);
  }
  addRootLosses(losses, root.meta, time);
  return { time, losses: losses.list() };
}

function refuseTooLong(path: string, node: Node): void {
  const length = path.length - (path.lastIndexOf('/') + 1);
  if (length > MAX_NAME)
    throw new FlattenError('UNSUPPORTED', `a name of ${length} bytes: squashfs holds ${MAX_NAME}`, { path });
  if (node.kind === 'symlink' && node.target.length > MAX_TARGET) {
    throw new FlattenError(
      'UNSUPPORTED',
      `a symlink target of ${node.target.length} bytes: squashfs holds ${MAX_TARGET}`,
      { path },
    );
  }
}

function addLosses(losses: Losses, path: string, { mtime, xattrs }: Metadata): void {
  if (!isWhole(mtime)) losses.add('mtime', path, 'squashfs holds whole seconds, from 1970 to 2106');
  for (const xattr of xattrs.keys()) {
    if (!isLeftOut(xattr)) continue;
    const isAcl = xattr.startsWith('system.posix_acl_');
    losses.add(isAcl ? 'ACL' : 'xattr', path, `squashfs has no place for ${isAcl ? 'ACLs' : xattr}`);
  }
}

function addRootLosses(losses: Losses, { mtime, uid, gid, xattrs }: Metadata, time: number): void {
  const [ownUid, ownGid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  if (uid !== ownUid || gid !== ownGid)
    losses.add('owner', '', 'sqfstar gives the root directory to whoever runs it');
  if (mtime !== BigInt(time) * SECOND)
    losses.add('mtime', '', 'sqfstar gives the root directory the time of the newest file');
  else if (time > Date.now() / 1000)
    losses.add(
      'mtime',
      '',
      'sqfstar gives the root directory the time of the run if a file is newer than that',
    );
  if (xattrs.size > 0) losses.add('xattr', '', 'sqfstar gives the root directory none');
}
