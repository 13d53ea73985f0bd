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

const LETTER = { fifo: 'p', char: 'c', directory: 'd', block: 'b', file: '-', symlink: 'l' } as const;

/** An inode's kind and mode as `ls -l` has them: `-rwsr-xr-x`. */
export function modeText(kind: Node['kind'], mode: number): string {
  const triple = (shift: number, special: boolean, letter: string) => {
    const bits = mode >> shift;
    const last = special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  const rest = [
    triple(6, (mode & 0o4000) !== 0, 's'),
    triple(3, (mode & 0o2000) !== 0, 's'),
    triple(0, (mode & 0o1000) !== 0, 't'),
  ];
  return LETTER[kind] + rest.join('');
}
