import { FlattenError } from '../errors.js';
import type { Directory, Metadata, Node } from '../rootfs/node.js';
import { MAX_HASHED_NAMES } from './directory.js';
import { MAX_MAJOR, MAX_MINOR } from './structures/device.js';
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
export function maxFileSize(format: ExtFormat): number {
  return format === 'ext4' ? MAX_EXTENTS_SIZE : MAX_MAPPED_SIZE;
}

/** Throws `UNSUPPORTED`, naming `path` and the limit, where an inode or one of its names is past what the format can hold. */
export function checkLimits(path: string, node: Node, format: ExtFormat): void {
  checkMetadata(path, node.meta);
  switch (node.kind) {
    case 'directory':
      return checkDirectory(path, node, format);
    case 'file':
      return refuse(node.content.size > maxFileSize(format), path, `a file of ${node.content.size} bytes`, () => [
        format,
        `${maxFileSize(format)} bytes`,
      ]);
  }
}
