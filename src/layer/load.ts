import { countsOf } from '../compression/counts.js';
import { DecompressPool, PARALLEL } from '../compression/decompress-pool.js';
import type { Context, Limits } from '../context.js';
import { throwIfAborted } from '../errors.js';
import { Meter } from '../meter.js';
import { Allowance } from '../threads/allowance.js';
import type { Layer, OpenLayer } from './layer.js';

/**
 * Opens an image's layers and yields them in order, base first. While the caller reads one, the next are being opened,
 * several at a time; all together may unpack to `maxSize` bytes. A layer that an image lists again is unpacked and
 * digested once. Reports the phase `load`.
 *
 * Once all have been yielded they are the caller's to close, and then one that was listed twice is closed with the first. If opening one fails, or the caller stops early, every layer
 * is closed, those that were yielded too, and the failure is that of the lowest layer.
 */
export async function* openLayers(layers: readonly Layer[], context: Context): AsyncGenerator<OpenLayer> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const threads = new DecompressPool();
  const allowance = new Allowance(context.limits.maxSize);
  const counts = countsOf(boundsOn(layers, context.limits));
  const known = new Map<string, Promise<OpenLayer>>();
  const progress = new LoadProgress(layers, context);
  const openOne = async (layer: Layer, order: number): Promise<OpenLayer> => {
    const loading = {
      threads,
      allowance,
      counts,
      order,
      progress: (done: number) => progress.at(order, done),
    };
    return layer.open({ ...context, signal }, loading);
  };
  for (const layer of layers) layer.prepare?.({ ...context, signal });
  const openings = inTurn(layers, PARALLEL, async (layer, order) => {
    const key = identity(layer, context);
    const opening = (key !== undefined && known.get(key)) || openOne(layer, order);
    if (key !== undefined) known.set(key, opening);
    const open = await opening;
    progress.at(order, layer.size);
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
    progress.end();
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

/** How far the layers of an image are read, together. */
class LoadProgress {
  readonly #meter: Meter | undefined;
  readonly #sizes: readonly number[];
  readonly #done: number[];
  #sum = 0;
  /** The lowest layer that is not all read. */
  #lowest = 0;

  constructor(layers: readonly Layer[], context: Context) {
    this.#sizes = layers.map(({ size }) => size);
    this.#done = layers.map(() => 0);
    const total = this.#sizes.reduce((sum, size) => sum + size, 0);
    if (total > 0) this.#meter = new Meter(context, 'load', total);
  }

  at(order: number, bytes: number): void {
    const done = Math.min(bytes, this.#sizes[order]!);
    if (done <= this.#done[order]!) return;
    this.#sum += done - this.#done[order]!;
    this.#done[order] = done;
    const layers = this.#sizes.length;
    while (this.#lowest < layers - 1 && this.#done[this.#lowest] === this.#sizes[this.#lowest])
      this.#lowest++;
    this.#meter?.at(this.#sum, { layer: this.#lowest + 1, layers });
  }

  end(): void {
    this.#meter?.end();
  }
}

/** The limits on an image of these layers: what its input may ask for. */
export function boundsOn(layers: readonly Layer[], limits: Limits): Limits {
  return layers.find(({ bounds }) => bounds !== undefined)?.bounds?.limits ?? limits;
}

/** What a layer has in common with another one only if opening both is opening one twice; undefined for one that lies in no file. */
function identity({ stored, digest, diffID, isPlain }: Layer, { digests }: Context): string | undefined {
  if (stored === undefined) return undefined;
  const { fd, offset, length } = stored;
  return [fd, offset, length, isPlain, digests && digest, digests && diffID].join(' ');
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
