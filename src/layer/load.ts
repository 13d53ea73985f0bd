import type { Context } from '../context.js';
import { throwIfAborted } from '../errors.js';
import type { Layer, OpenLayer } from './layer.js';
import { Allowance } from './unpack-allowance.js';
import { PARALLEL, UnpackThreads } from './unpack-threads.js';

/**
 * Opens an image's layers and yields them in order, base first. While the caller reads one, the next are being opened,
 * several at a time; all together may unpack to `maxSize` bytes. Reports `load`.
 *
 * Once all have been yielded they are the caller's to close. If opening one fails, or the caller stops early, every layer
 * is closed, those that were yielded too, and the failure is that of the lowest layer.
 */
export async function* openLayers(layers: readonly Layer[], context: Context): AsyncGenerator<OpenLayer> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const threads = new UnpackThreads();
  const allowance = new Allowance(context.limits.maxSize);
  const openings = inTurn(layers, PARALLEL, async (layer, order) => {
    const report = (done: number) =>
      context.report({ type: 'load', layer: order + 1, layers: layers.length, done, total: layer.size });
    const open = await layer.open({ ...context, signal }, { threads, allowance, order, progress: report });
    report(layer.size);
    return open;
  });
  let isComplete = false;
  try {
    for (const opening of openings) {
      const open = await opening;
      throwIfAborted(context.signal);
      yield open;
    }
    isComplete = true;
  } finally {
    const ended = threads.close();
    if (!isComplete) {
      stop.abort();
      for (const opening of await Promise.allSettled(openings)) {
        if (opening.status === 'fulfilled') opening.value.close();
      }
      await ended;
    }
  }
}

/** Starts `act` on each item in order, so that `limit` of them are under way at a time. */
function inTurn<T, R>(
  items: readonly T[],
  limit: number,
  act: (item: T, index: number) => Promise<R>,
): Promise<R>[] {
  const waiting: (() => void)[] = [];
  const results = items.map(async (item, index) => {
    if (index >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await act(item, index);
    } finally {
      waiting.shift()?.();
    }
  });
  for (const result of results) result.catch(() => {}); // each is awaited in its turn
  return results;
}
