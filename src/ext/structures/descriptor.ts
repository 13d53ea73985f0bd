/**
 * Block group descriptors: one for each group, in a table after the superblock.
 * Source: Linux, Documentation/filesystems/ext4/group_descr.rst.
 */
export const DESCRIPTOR = 32;

/** Where fields lie within a descriptor. */
export const AT = {
  blockBitmap: 0,
  inodeBitmap: 4,
  inodeTable: 8,
  freeBlocks: 12,
  freeInodes: 14,
  directories: 16,
  inodeTableHigh: 0x28,
} as const;

/** Whether a group holds a copy of the superblock and the table under `sparse_super`: 0, 1 and the powers of 3, 5 and 7. */
export function hasSuperblock(group: number): boolean {
  return group < 2 || [3, 5, 7].some((base) => isPower(group, base));
}

function isPower(value: number, base: number): boolean {
  let power = base;
  while (power < value) power *= base;
  return power === value;
}
