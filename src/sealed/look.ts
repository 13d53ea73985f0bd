import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { compressionOf, MAGIC_LENGTH } from '../compression/magic.js';
import { diskKind } from '../disk-tree.js';
import { FlattenError } from '../errors.js';
import { verityFile } from '../sinks/verity-names.js';
import type { SealOptions } from './find.js';

/**
 * Whether an output may have a hash tree: it is a disk image, or something beside it says that it was one. A compressed image has its tree
 * inside. Throws `USAGE` where a tree is asked for of what cannot have one.
 */
export function mayBeSealed({
  output,
  verity,
  rootHash,
}: SealOptions & { readonly output: string }): boolean {
  if (diskKind(output) !== undefined) return true;
  const compression = compressionOfFile(output);
  if (compression === 'none' && isFile(verityFile(output))) return true;
  if (verity === undefined && rootHash === undefined) return false;
  const option = verity === undefined ? '{rootHash}' : '{verity}';
  const hint =
    compression === 'none' ? {} : { hint: 'decompress it first: the hash tree is of what is inside' };
  throw new FlattenError('USAGE', `${option}: only for disk images, and ${output} is none`, hint);
}

function compressionOfFile(path: string): ReturnType<typeof compressionOf> {
  if (!isFile(path)) return 'none';
  const fd = openSync(path, 'r');
  try {
    const head = Buffer.alloc(MAGIC_LENGTH);
    return compressionOf(head.subarray(0, readSync(fd, head, 0, MAGIC_LENGTH, 0)));
  } finally {
    closeSync(fd);
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
