import { BLOCK } from '../disk/block.js';
import { MAX_MAJOR, MAX_MINOR } from '../disk/device.js';
import { FlattenError } from '../errors.js';
import type { Node } from '../rootfs/node.js';
import { MAX_NAME } from './directory.js';
import { MAX_VALUE, MAX_XATTR_BYTES } from './xattrs.js';

const MAX_WORD = 2 ** 32 - 1;
/** A longer target would leave no room for the NUL that the kernel wants in its page. */
export const MAX_TARGET = BLOCK - 1;
/** Numbers of blocks have 32 bits; the last stands for none. */
export const MAX_BLOCKS = 2 ** 32 - 1;
const MAX_FILE = MAX_BLOCKS * BLOCK;

/** Throws `UNSUPPORTED`, naming the path and the limit, where a name or its inode is past what the format can hold. */
export function checkLimits(path: string, node: Node): void {
  const atMost = (value: number, limit: number, what: string) => {
    if (value > limit) throw beyond(path, `${what}: ${value}, and erofs holds at most ${limit}`);
  };
  atMost(path.length - path.lastIndexOf('/') - 1, MAX_NAME, 'bytes in a name');
  atMost(node.meta.uid, MAX_WORD, 'owner');
  atMost(node.meta.gid, MAX_WORD, 'group');
  atMost(node.nlink, MAX_WORD, 'links');
  for (const [name, { length }] of node.meta.xattrs) atMost(length, MAX_VALUE, `bytes in the xattr ${name}`);
  if (node.kind === 'file') atMost(node.content.size, MAX_FILE, 'bytes in a file');
  if (node.kind === 'char' || node.kind === 'block') {
    atMost(node.major, MAX_MAJOR, 'major device number');
    atMost(node.minor, MAX_MINOR, 'minor device number');
  }
  if (node.kind !== 'symlink') return;
  atMost(node.target.length, MAX_TARGET, 'bytes in the target of a symlink');
  if (node.target === '' || node.target.includes('\0')) throw beyond(path, 'no file system holds its target');
}

/** Throws `UNSUPPORTED` where an inode's xattrs are too large together. */
export function checkXattrs(path: string, bytes: number): void {
  if (bytes <= MAX_XATTR_BYTES) return;
  throw beyond(path, `bytes of xattrs: ${bytes}, and erofs holds at most ${MAX_XATTR_BYTES} for an inode`);
}

function beyond(path: string, what: string): FlattenError {
  return new FlattenError('UNSUPPORTED', what, {
    path: path === '' ? '.' : path,
    hint: 'leave it out with {exclude}, or write a directory or a tar',
  });
}
