import type { Content, Segment } from '../rootfs/node.js';
import { type ContentReader, segmentsOf } from './content.js';

const WINDOW = 2 ** 20;

/**
 * Whether two files of one size have the same bytes, holes being zeros. Each is read by a reader of its own, and not
 * where both have holes: a few bytes can be a file of any size.
 */
export function sameContent(a: Content, b: Content, readA: ContentReader, readB: ContentReader): boolean {
  for (const { start: first, length: whole } of union(segmentsOf(a), segmentsOf(b))) {
    const end = first + whole;
    for (let start = first; start < end; start += WINDOW) {
      const [left, right] = windows(Math.min(WINDOW, end - start));
      readA.read(a, start, left);
      readB.read(b, start, right);
      if (!left.equals(right)) return false;
    }
  }
  return true;
}

/** What either of two lists of runs covers, those less than a window apart as one. */
function union(a: readonly Segment[], b: readonly Segment[]): Segment[] {
  const runs = a === b || b.length === 0 ? [...a] : [...a, ...b].sort((x, y) => x.start - y.start);
  const merged: { start: number; length: number }[] = [];
  for (const { start, length } of runs) {
    const last = merged[merged.length - 1];
    if (last === undefined || start > last.start + last.length + WINDOW) merged.push({ start, length });
    else last.length = Math.max(last.length, start + length - last.start);
  }
  return merged;
}

let buffers: [Buffer, Buffer] | undefined;

function windows(length: number): [Buffer, Buffer] {
  buffers ??= [Buffer.allocUnsafe(WINDOW), Buffer.allocUnsafe(WINDOW)];
  return [buffers[0].subarray(0, length), buffers[1].subarray(0, length)];
}
