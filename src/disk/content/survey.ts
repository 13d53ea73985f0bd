import { crc32 } from 'node:zlib';
import type { StoredWindow } from '../../layer/stored-window.js';
import { BLOCK } from '../block.js';
import type { RunBuilder } from '../runs.js';
import type { ContentRows } from './rows.js';

const ZEROS = Buffer.alloc(BLOCK);

/**
 * Reads rows `from` to `to`: adds to `data` the target blocks that get something else than zeros, and sets each row's
 * checksum. Yields the bytes read with each step.
 */
export function* surveyRows(
  rows: ContentRows,
  from: number,
  to: number,
  window: StoredWindow,
  { data, sums }: { readonly data: RunBuilder; readonly sums: Uint32Array },
): Generator<number> {
  for (let row = from; row < to; row++) {
    const layer = rows.layers[rows.layer[row]!]!;
    const size = rows.size[row]!;
    const target = rows.target[row]!;
    let sum = 0;
    for (let done = 0; done < size; ) {
      const room = window.size - ((target + done) % BLOCK);
      const view = window.view(layer, rows.source[row]! + done, Math.min(room, size - done));
      sum = crc32(view, sum);
      markData(view, target + done, data);
      done += view.length;
      yield view.length;
    }
    sums[row] = sum;
  }
}

/** Adds the blocks that `view`, which belongs at byte `start`, puts something else than zeros in. */
function markData(view: Buffer, start: number, data: RunBuilder): void {
  for (let at = 0; at < view.length; ) {
    const block = Math.floor((start + at) / BLOCK);
    const end = Math.min(view.length, (block + 1) * BLOCK - start);
    if (!isZero(view, at, end)) data.add(block);
    at = end;
  }
}

function isZero(view: Buffer, from: number, to: number): boolean {
  if (view[from] !== 0 || view[to - 1] !== 0) return false;
  return view.compare(ZEROS, 0, to - from, from, to) === 0;
}
