import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { fileSystemBytes, SUPERBLOCKS } from '../disk-magic.js';
import { FlattenError, ioError } from '../errors.js';
import { VERITY_BLOCK } from '../verity/verity.js';

/** Opens a file for reading; the caller closes it. Throws `IO` where it is none, without a wait for a fifo. */
export function openFile(path: string): number {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(fd).isFile()) return fd;
    closeSync(fd);
  } catch (error) {
    throw ioError(error, path);
  }
  throw new FlattenError('IO', `${path}: is no regular file`);
}

/** Where the file system in an image says that it ends, in whole blocks; 0 where there is none. */
export function endOfFileSystem(image: string): number {
  const head = Buffer.alloc(SUPERBLOCKS);
  const end = reading(image, (fd) =>
    fileSystemBytes(head.subarray(0, readSync(fd, head, 0, SUPERBLOCKS, 0))),
  );
  return Math.ceil((end ?? 0) / VERITY_BLOCK) * VERITY_BLOCK;
}

/** The block at a position; undefined where the file ends before. */
export function blockAt(path: string, position: number): Buffer | undefined {
  if (!Number.isSafeInteger(position)) return undefined;
  const block = Buffer.alloc(VERITY_BLOCK);
  return reading(path, (fd) => readSync(fd, block, 0, VERITY_BLOCK, position)) === VERITY_BLOCK
    ? block
    : undefined;
}

export function sizeOf(path: string): number {
  return reading(path, (fd) => fstatSync(fd).size);
}

function reading<T>(path: string, read: (fd: number) => T): T {
  const fd = openFile(path);
  try {
    return read(fd);
  } finally {
    closeSync(fd);
  }
}
