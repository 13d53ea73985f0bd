import { ZSTDDecoder } from 'zstddec/stream';
import { FlattenError } from '../errors.js';
import { release } from '../threads/release.js';
import { Turnstile } from '../threads/turnstile.js';
import { ZstdFrames } from './zstd-frames.js';

/** A window of so many bytes is held by one thread at a time: `zstd --long` makes larger ones, `zstd -19` none. */
const LARGE_WINDOW = 16 * 2 ** 20;

/** Bytes of the smallest frame there is, an empty skippable one. */
const MIN_FRAME = 8;

/**
 * Decompresses zstd frames that stand one after another, skippable ones too (RFC 8878 3.1), with windows up to 128 MiB.
 * Checksums are checked. Threads that share a `turnstile` hold large windows one after the other; whether this one did is
 * what resolves: the memory is not given back before the thread ends. A chunk of `input` is done with when the next is asked for; `sink` may keep nothing.
 *
 * It is libzstd as WebAssembly and not node:zlib, which ends silently at the first frame that ends within a chunk, and
 * which on Node 20 has no zstd at all.
 */
export async function unzstd(
  input: Iterable<Buffer>,
  sink: (bytes: Uint8Array) => void,
  turnstile = new Turnstile(),
): Promise<boolean> {
  const decoder = new ZSTDDecoder();
  await decoder.init();
  const frames = new ZstdFrames();
  let isIn = false;
  let idle = 0;
  function* counted(): Generator<Buffer> {
    for (const chunk of input) {
      frames.add(chunk);
      if (!isIn && frames.window > LARGE_WINDOW) {
        turnstile.enter();
        isIn = true;
      }
      // The decoder does not look for libzstd's errors, but would ask again for ever. A call that is no error
      // takes a whole frame or gives bytes, except for the chunk's last.
      idle = chunk.length / MIN_FRAME + 2;
      yield chunk;
    }
  }
  try {
    for (const bytes of decoding(decoder, counted())) {
      if (bytes.length > 0) {
        sink(bytes);
        release(bytes);
      } else if (--idle < 0) {
        throw new FlattenError(
          'BAD_LAYER',
          'the zstd data is corrupt (or needs a window of more than 128 MiB)',
        );
      }
    }
  } finally {
    if (isIn) turnstile.leave();
  }
  return isIn;
}

function* decoding(decoder: ZSTDDecoder, input: Iterable<Uint8Array>): Generator<Uint8Array> {
  try {
    yield* decoder.decodeStreaming(input);
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Incomplete stream')) {
      throw new FlattenError('BAD_LAYER', 'the zstd data is cut short');
    }
    throw error;
  }
}
