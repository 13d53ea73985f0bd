import { readSync, writeSync } from 'node:fs';
import { FlattenError } from '../errors.js';

/** Reads exactly `length` bytes at `position`; throws `BAD_IMAGE` where the file ends before. */
export function readAt(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  readInto(fd, bytes, position);
  return bytes;
}

/** Fills `bytes` from `position`; throws as {@link readAt}. */
export function readInto(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    const read = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (read === 0) throw new FlattenError('BAD_IMAGE', 'the file ends before the file system in it does');
    done += read;
  }
}

/** Writes all of `bytes` at `position`. */
export function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
