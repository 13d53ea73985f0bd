import { ContentReader } from '../../layer/content.js';
import { StoredWindow } from '../../layer/stored-window.js';
import { RunBuilder, type Runs } from '../runs.js';
import { BlockWindow, copyRows } from './copy.js';
import type { ContentRows } from './rows.js';
import { surveyRows } from './survey.js';

/** What threads do together; all arrays are shared. */
export interface Order {
  readonly rows: ContentRows;
  /** The chunk that the next free thread takes. */
  readonly next: Uint32Array;
  /** Not 0 once all are to stop. */
  readonly stop: Uint32Array;
  /** Bytes done by each thread. */
  readonly done: Float64Array;
  readonly task:
    | { readonly kind: 'survey'; readonly sums: Uint32Array }
    | { readonly kind: 'copy'; readonly fd: number };
}

/** Large enough to read well, small enough to stay in the processor's cache. */
const WINDOW = 256 * 1024;

/** Works on an order as thread `me` until no chunk is left. Yields now and then; returns, from a survey, the blocks that are not zeros. */
export function* work(order: Order, me: number): Generator<void, Runs> {
  const { rows, next, stop, done, task } = order;
  const reader = new ContentReader();
  const window = new StoredWindow(reader, WINDOW);
  const data = new RunBuilder();
  const output = task.kind === 'copy' ? new BlockWindow(task.fd) : undefined;
  try {
    for (let chunk = take(next); chunk < rows.chunks.length - 1; chunk = take(next)) {
      const from = rows.chunks[chunk]!;
      const to = rows.chunks[chunk + 1]!;
      const steps =
        task.kind === 'survey'
          ? surveyRows(rows, from, to, window, { data, sums: task.sums })
          : copyRows(rows, from, to, window, { reader, output: output! });
      for (const bytes of steps) {
        done[me]! += bytes;
        if (Atomics.load(stop, 0) !== 0) return [];
        yield;
      }
    }
    return data.runs;
  } finally {
    reader.close();
  }
}

function take(next: Uint32Array): number {
  return Atomics.add(next, 0, 1);
}
