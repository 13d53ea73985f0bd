import { MAX_MAJOR, MAX_MINOR } from '../disk/device.js';
import { FlattenError } from '../errors.js';
import type { Node } from '../rootfs/node.js';
import { MAX_NAME } from './structures/dirent.js';
import { BLOCK, type ExtFormat } from './structures/features.js';

/** Names of one inode that e2fsck and kernels from 4.3 on allow. */
export const MAX_LINKS = 65_000;
const MAX_ID = 2 ** 32 - 1;
/** A longer target would leave its block no room for the NUL that the kernel wants. */
const MAX_TARGET = BLOCK - 1;
/** Blocks that 2^32 sectors hold, less those that would map them: what Linux allows without `huge_file`. */
const MAX_MAPPED_SIZE = (2 ** 29 - 1 - (1 + (1 + 1024) + (1 + 1024 + 1024 ** 2))) * BLOCK;
const MAX_EXTENTS_SIZE = (2 ** 32 - 1) * BLOCK;

/** The most bytes that a file may have. */
function maxFileSize(format: ExtFormat): number {
  return format === 'ext4' ? MAX_EXTENTS_SIZE : MAX_MAPPED_SIZE;
}

/**
 * Throws `UNSUPPORTED`, naming the path and the limit, where a name or its inode is past what the format can hold.
 * Directories' sizes and xattrs are checked where they are laid out.
 */
export function checkLimits(path: string, node: Node, format: ExtFormat): void {
  const atMost = (value: number, limit: number, what: string) => {
    if (value > limit) throw beyond(path, `${what}: ${value}, and ${format} holds at most ${limit}`);
  };
  atMost(path.length - path.lastIndexOf('/') - 1, MAX_NAME, 'bytes in a name');
  atMost(node.meta.uid, MAX_ID, 'owner');
  atMost(node.meta.gid, MAX_ID, 'group');
  if (node.kind !== 'directory') atMost(node.nlink, MAX_LINKS, 'hard links');
  else if (format !== 'ext4') atMost(node.nlink, MAX_LINKS, 'links (two, and one for each subdirectory)');
  if (node.kind === 'file') atMost(node.content.size, maxFileSize(format), 'bytes in a file');
  if (node.kind === 'char' || node.kind === 'block') {
    atMost(node.major, MAX_MAJOR, 'major device number');
    atMost(node.minor, MAX_MINOR, 'minor device number');
  }
  if (node.kind !== 'symlink') return;
  atMost(node.target.length, MAX_TARGET, 'bytes in the target of a symlink');
  if (node.target === '' || node.target.includes('\0')) throw beyond(path, 'no file system holds its target');
}

/** The error for something that the format cannot hold. */
export function beyond(path: string, what: string): FlattenError {
  return new FlattenError('UNSUPPORTED', what, {
    path: path === '' ? '.' : path,
    hint: 'leave it out with {exclude}, or write a directory or a tar',
  });
}
