import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';
import type { SameSize } from '../rootfs/compare.js';
import { byPosition, ContentReader } from './content.js';
import { sameContent } from './same-content.js';

/** Milliseconds between two turns of the event loop, so that an abort is heard. */
const TURN = 50;

/**
 * Reads the files of a comparison that have one size, in the order in which the first of each two lies in its layer, and says which differ.
 * `onRead` is told of bytes that were compared. Memory does not grow with the files.
 */
export async function readBoth(
  unread: readonly SameSize[],
  signal: AbortSignal,
  onRead: (bytes: number) => void,
): Promise<void> {
  throwIfAborted(signal);
  const readers = [new ContentReader(), new ContentReader()] as const;
  try {
    let turn = performance.now();
    for (const pair of [...unread].sort((a, b) => byPosition(a.before, b.before))) {
      pair.differ = !sameContent(pair.before, pair.after, ...readers);
      onRead(pair.before.size);
      if (performance.now() - turn < TURN) continue;
      await setImmediate();
      throwIfAborted(signal);
      turn = performance.now();
    }
  } finally {
    for (const reader of readers) reader.close();
  }
}
