import { readSync, writeSync } from 'node:fs';
import { FlattenError } from '../errors.js';

/** Bytes inside an open file. */
export interface ByteRange {
  readonly fd: number;
  readonly offset: number;
  readonly length: number;
}

/** Reads at most `target.length` bytes at `position` of a range; 0 only at its end. */
export function readRange(range: ByteRange, target: Uint8Array, position: number): number {
  const length = Math.min(target.length, range.length - position);
  if (length <= 0) return 0;
  const read = readSync(range.fd, target, 0, length, range.offset + position);
  if (read === 0) throw new FlattenError('IO', 'the file became shorter while it was read');
  return read;
}

/** Yields a range's bytes in runs of `buffer`'s size; each is gone when the next is asked for. */
export function* chunksOf(range: ByteRange, buffer: Buffer): Generator<Buffer> {
  for (let position = 0; position < range.length; ) {
    const read = readRange(range, buffer, position);
    position += read;
    yield buffer.subarray(0, read);
  }
}

/** Writes all of `bytes` at `position`. */
export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}
