import { Slots } from '../threads/slots.js';
import { type BlobSource, blobBytes, type Part } from './blob-stream.js';
import type { Answer } from './exchange.js';

/** Blobs with more bytes than this are fetched by several connections: stores of blobs serve each at a rate of its own. */
export const LARGE = 64 * 2 ** 20;

/** Bytes of one range, and how many of them, of all blobs together, are in memory. */
const RANGE = 4 * 2 ** 20;
const RANGES = 12;

/** Of one blob at a time. */
const AT_A_TIME = 6;

/** How many ranges may be in memory, for all who fetch some. */
export function rangeSlots(): Slots {
  return new Slots(RANGES);
}

/** The first range of a blob from `start` on: what to ask for, to see whether the server has ranges. */
export function firstRange(start: number, size: number): Part {
  return { start, end: Math.min(start + RANGE, size) };
}

/**
 * Yields the bytes of a blob in order, of which several ranges are fetched at a time. `first` answers to {@link firstRange}.
 * Whoever stops early ends the others too.
 */
export async function* inRanges(
  first: Answer,
  { start, end }: Part,
  source: BlobSource,
  slots: Slots,
): AsyncGenerator<Buffer> {
  const stop = new AbortController();
  const stoppable = { ...source, signal: AbortSignal.any([source.signal, stop.signal]) };
  const under: Promise<Buffer>[] = [];
  let next = start;
  const more = () => {
    while (next < end && under.length < AT_A_TIME) {
      const part = firstRange(next, end);
      const fetching = fetchRange(next === start ? first : undefined, part, stoppable, slots);
      fetching.catch(() => {}); // it is awaited in its turn
      under.push(fetching);
      next = part.end;
    }
  };
  try {
    for (more(); under.length > 0; more()) {
      const bytes = await under.shift()!;
      yield bytes;
      slots.give();
    }
  } finally {
    stop.abort();
    for (const left of await Promise.allSettled(under)) if (left.status === 'fulfilled') slots.give();
  }
}

async function fetchRange(
  begun: Answer | undefined,
  part: Part,
  source: BlobSource,
  slots: Slots,
): Promise<Buffer> {
  await slots.take();
  try {
    const bytes = Buffer.allocUnsafe(part.end - part.start);
    let at = 0;
    for await (const chunk of blobBytes(begun ?? (await source.ask(part, source.signal)), part, source)) {
      chunk.copy(bytes, at);
      at += chunk.length;
    }
    return bytes;
  } catch (error) {
    slots.give();
    throw error;
  }
}
