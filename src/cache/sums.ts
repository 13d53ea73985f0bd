import { createHash, type Hash } from 'node:crypto';
import { read } from 'node:fs';
import { promisify } from 'node:util';
import { throwIfAborted } from '../errors.js';
import { algorithm, type Digest } from '../oci/digest.js';

const reading = promisify(read);

/** A digest in the making. */
export function hashFor(digest: Digest): Hash {
  return createHash(algorithm(digest));
}

/** The digest that has come of it. */
export function digestOf(hash: Hash, digest: Digest): string {
  return `${algorithm(digest)}:${hash.digest('hex')}`;
}

/** Adds a file's first `length` bytes to a digest; gives how many there were. */
export async function hashFile(hash: Hash, fd: number, length: number, signal: AbortSignal): Promise<number> {
  const buffer = Buffer.alloc(1 << 20);
  let position = 0;
  while (position < length) {
    throwIfAborted(signal);
    const wanted = Math.min(buffer.length, length - position);
    const { bytesRead } = await reading(fd, buffer, 0, wanted, position);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
  return position;
}
