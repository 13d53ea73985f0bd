import type { Content } from '../rootfs/node.js';
import type { ContentReader } from './content.js';

const WINDOW = 2 ** 20;

/** Whether two files of one size have the same bytes, holes being zeros. Each is read by a reader of its own. */
export function sameContent(a: Content, b: Content, readA: ContentReader, readB: ContentReader): boolean {
  for (let start = 0; start < a.size; start += WINDOW) {
    const length = Math.min(WINDOW, a.size - start);
    const [left, right] = windows(length);
    readA.read(a, start, left);
    readB.read(b, start, right);
    if (!left.equals(right)) return false;
  }
  return true;
}

let buffers: [Buffer, Buffer] | undefined;

function windows(length: number): [Buffer, Buffer] {
  buffers ??= [Buffer.allocUnsafe(WINDOW), Buffer.allocUnsafe(WINDOW)];
  return [buffers[0].subarray(0, length), buffers[1].subarray(0, length)];
}
