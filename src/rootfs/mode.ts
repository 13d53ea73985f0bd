import type { Node } from './node.js';

/** The bits of a mode that say the type: `S_IFMT`, inode(7). */
export const TYPE = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
} as const satisfies Record<Node['kind'], number>;
