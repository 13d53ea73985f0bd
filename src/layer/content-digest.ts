import { createHash } from 'node:crypto';
import type { Content } from '../rootfs/node.js';
import { type ContentReader, segmentsOf } from './content.js';

const WINDOW = 2 ** 20;
const BLOCK = 4096;
const ZEROS = Buffer.alloc(BLOCK);

let buffer: Buffer | undefined;

/**
 * A text that is the same for two files of one size only if they have the same bytes: sha256 of the blocks that are not zeros, each with its
 * place. Zeros count as zeros whether they are stored or holes, and holes are not read, since a few bytes can be a hole of any size.
 */
export function contentDigest(content: Content, reader: ContentReader): string {
  const hash = createHash('sha256');
  const place = Buffer.alloc(8);
  let done = 0;
  for (const { start, length } of segmentsOf(content)) {
    const end = start + length;
    for (let at = Math.max(done, start - (start % BLOCK)); at < end; at += WINDOW) {
      buffer ??= Buffer.allocUnsafe(WINDOW);
      const window = buffer.subarray(0, Math.min(WINDOW, content.size - at));
      reader.read(content, at, window);
      for (let from = 0; from < window.length; from += BLOCK) {
        const block = window.subarray(from, from + BLOCK);
        if (block.equals(block.length === BLOCK ? ZEROS : ZEROS.subarray(0, block.length))) continue;
        place.writeBigUInt64LE(BigInt(at + from));
        hash.update(place).update(block);
      }
      done = at + WINDOW;
    }
  }
  return hash.digest('hex');
}
