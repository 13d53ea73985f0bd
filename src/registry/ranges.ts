import { Slots } from '../threads/slots.js';
import { type BlobSource, blobBytes, type Part } from './blob-stream.js';
import type { Answer } from './exchange.js';

/** Blobs with more bytes than this are fetched by several connections: stores of blobs serve each at a rate of its own. */
export const LARGE = 64 * 2 ** 20;

/** Bytes of one range, and how many of them, of all blobs together, are in memory. */
const RANGE = 4 * 2 ** 20;
const RANGES = 8;

/** Of one blob at a time. */
const AT_A_TIME = 6;

/** The memory for ranges, for all who fetch some. It is used again: what is thrown away is seen no more before much more has come. */
export class RangeBuffers {
  readonly #slots = new Slots(RANGES);
  readonly #free: Buffer[] = [];

  /** Waits for memory for one range. */
  async take(): Promise<Buffer> {
    await this.#slots.take();
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(RANGE);
  }

  give(buffer: Buffer): void {
    this.#free.push(buffer);
    this.#slots.give();
  }
}

/** A range that is there, in memory that is larger. */
interface Fetched {
  readonly buffer: Buffer;
  readonly length: number;
}

/** The first range of a blob from `start` on: what to ask for, to see whether the server has ranges. */
export function firstRange(start: number, size: number): Part {
  return { start, end: Math.min(start + RANGE, size) };
}

/**
 * Yields the bytes of a blob in order, of which several ranges are fetched at a time; each chunk is gone when the next is asked for. `first` answers to {@link firstRange}.
 * Whoever stops early ends the others too.
 */
export async function* inRanges(
  first: Answer,
  { start, end }: Part,
  source: BlobSource,
  buffers: RangeBuffers,
): AsyncGenerator<Buffer> {
  const stop = new AbortController();
  const stoppable = { ...source, signal: AbortSignal.any([source.signal, stop.signal]) };
  const under: Promise<Fetched>[] = [];
  let next = start;
  const more = () => {
    while (next < end && under.length < AT_A_TIME) {
      const part = firstRange(next, end);
      const fetching = fetchRange(next === start ? first : undefined, part, stoppable, buffers);
      fetching.catch(() => {}); // it is awaited in its turn
      under.push(fetching);
      next = part.end;
    }
  };
  try {
    for (more(); under.length > 0; more()) {
      const { buffer, length } = await under.shift()!;
      try {
        yield buffer.subarray(0, length);
      } finally {
        buffers.give(buffer);
      }
    }
  } finally {
    stop.abort();
    for (const left of await Promise.allSettled(under))
      if (left.status === 'fulfilled') buffers.give(left.value.buffer);
  }
}

async function fetchRange(
  begun: Answer | undefined,
  part: Part,
  source: BlobSource,
  buffers: RangeBuffers,
): Promise<Fetched> {
  const buffer = await buffers.take();
  try {
    let at = 0;
    for await (const chunk of blobBytes(begun ?? (await source.ask(part, source.signal)), part, source)) {
      chunk.copy(buffer, at);
      at += chunk.length;
    }
    return { buffer, length: at };
  } catch (error) {
    buffers.give(buffer);
    throw error;
  }
}
