import { gzipSync } from 'node:zlib';
import { headerBlock } from './tar.js';

/** Digits of a number in a name. */
const DIGITS = 8;

/**
 * Many headers made fast: entry `index` has the number `index` in the last digits of its name, and `index + 1` in those of
 * its link name, where `name` and `linkname` end in eight zeros.
 */
export function* swarm(
  count: number,
  { name, linkname = '', typeflag = '0' }: { name: string; linkname?: string; typeflag?: string },
): Generator<Buffer> {
  const template = headerBlock({ name, linkname, typeflag });
  const sum = Number.parseInt(template.toString('latin1', 148, 154), 8);
  const size = 4096;
  for (let first = 0; first < count; first += size) {
    const blocks = Buffer.alloc(512 * Math.min(size, count - first));
    for (let at = 0; at < blocks.length; at += 512) {
      const index = first + at / 512;
      template.copy(blocks, at);
      let more = put(blocks, at + name.length, index);
      if (linkname !== '') more += put(blocks, at + 157 + linkname.length, index + 1);
      blocks.write((sum + more).toString(8).padStart(6, '0'), at + 148, 'latin1');
    }
    yield blocks;
  }
}

/** Writes a number before `end`; gives what it adds to the sum of the zeros there. */
function put(bytes: Buffer, end: number, number: number): number {
  let rest = number;
  let sum = 0;
  for (let at = end - 1; at >= end - DIGITS; at--) {
    const digit = rest % 10;
    bytes[at] = 0x30 + digit;
    sum += digit;
    rest = (rest - digit) / 10;
  }
  return sum;
}

/** Gzip members, one for each piece. */
export function gzipped(pieces: Iterable<Buffer>): Buffer {
  return Buffer.concat([...pieces].map((piece) => gzipSync(piece, { level: 1 })));
}

/** One gzip member over and over. */
export function repeated(piece: Buffer, times: number): Buffer {
  const member = gzipSync(piece);
  return Buffer.concat(Array<Buffer>(times).fill(member));
}
