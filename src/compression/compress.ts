import { availableParallelism } from 'node:os';
import { FlattenError, throwIfAborted } from '../errors.js';
import { Thread } from '../threads/thread.js';
import { type Block, type Codec, type CompressedBlock, MAX_LEVEL } from './block.js';

export interface CompressOptions {
  /** gzip: 1 to 12 as libdeflate has them, default 5, which is as small as what gzip(1) makes. zstd: 1 to 19, default 3. */
  readonly level?: number;
  /** Default: one a core, up to four. It does not change a byte of the output. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** Where compressed bytes go: called in their order, one call at a time. */
export type CompressedSink = (bytes: Uint8Array) => void | Promise<void>;

/** A stream that compresses. Each call is to be awaited before the next. A call that fails stops the compressor. */
export interface Compressor extends AsyncDisposable {
  /** Takes bytes; they are copied before it resolves. Waits while the threads or the sink are behind. */
  write(chunk: Uint8Array): Promise<void>;
  /** Hands the rest to the sink and ends the threads. */
  end(): Promise<void>;
  /** Ends the threads and forgets what they hold; for a caller that has failed. May be called at any time. */
  close(): Promise<void>;
}

/** The blocks' sizes belong to the format of the output: other ones give other bytes. A zstd match reaches far back, gzip's 32 KiB. */
const CODECS = {
  gzip: { block: 1 << 20, level: 5 },
  zstd: { block: 2 << 20, level: 3 },
} as const;

/**
 * Compresses a stream in threads: each block of a fixed size becomes a gzip member (RFC 1952) or a zstd frame (RFC 8878) of
 * its own. The same input and level give the same bytes on every machine, Node version and number of threads, which
 * node:zlib cannot promise: its output differs between processors and versions.
 */
export function compressor(codec: Codec, sink: CompressedSink, options: CompressOptions = {}): Compressor {
  const { level = CODECS[codec].level, threads = Math.min(4, availableParallelism()), signal } = options;
  const maxLevel = MAX_LEVEL[codec];
  if (!Number.isInteger(level) || level < 1 || level > maxLevel) {
    throw new FlattenError('USAGE', `${codec} level ${level}: is not a whole number from 1 to ${maxLevel}`);
  }
  return new BlockCompressor(codec, level, threads, sink, signal ?? new AbortController().signal);
}

class BlockCompressor implements Compressor {
  readonly #codec: Codec;
  readonly #level: number;
  readonly #size: number;
  readonly #sink: CompressedSink;
  readonly #signal: AbortSignal;
  readonly #threads: Thread<Block, CompressedBlock>[] = [];
  readonly #maxThreads: number;
  /** Members or frames on their way, in order. */
  readonly #pending: Promise<Uint8Array>[] = [];
  readonly #spare: ArrayBuffer[] = [];
  #closed: Promise<void> | undefined;
  #blocks = 0;
  #block: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;
  readonly #onAbort = () => void this.close();

  constructor(codec: Codec, level: number, threads: number, sink: CompressedSink, signal: AbortSignal) {
    this.#codec = codec;
    this.#level = level;
    this.#size = CODECS[codec].block;
    this.#maxThreads = threads;
    this.#sink = sink;
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#orClose(async () => {
      for (let done = 0; done < chunk.length; ) {
        this.#block ??= new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(this.#size));
        const part = chunk.subarray(done, done + this.#size - this.#filled);
        this.#block.set(part, this.#filled);
        this.#filled += part.length;
        done += part.length;
        if (this.#filled === this.#size) await this.#send();
      }
    });
  }

  async end(): Promise<void> {
    await this.#orClose(async () => {
      if (this.#filled > 0 || this.#blocks === 0) await this.#send();
      while (this.#pending.length > 0) await this.#receive();
    });
    await this.close();
  }

  close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    this.#closed ??= Promise.all(this.#threads.map((thread) => thread.terminate())).then(() => {});
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #orClose(act: () => Promise<void>): Promise<void> {
    try {
      throwIfAborted(this.#signal);
      await act();
    } catch (error) {
      await this.close();
      throwIfAborted(this.#signal);
      throw error;
    }
  }

  /** Gives the block to the next thread in turn. One block more than threads is on its way, so that none waits. */
  async #send(): Promise<void> {
    if (this.#pending.length > this.#maxThreads) await this.#receive();
    throwIfAborted(this.#signal);
    const turn = this.#blocks++ % this.#maxThreads;
    this.#threads[turn] ??= new Thread(new URL('./compress-worker.js', import.meta.url));
    const block = this.#block?.buffer ?? new ArrayBuffer(0);
    const ask = { codec: this.#codec, level: this.#level, block, length: this.#filled };
    const reply = this.#threads[turn].ask(ask, { transfer: [block] }).then(({ bytes, block }) => {
      this.#spare.push(block);
      return bytes;
    });
    reply.catch(() => {}); // it is awaited when its turn comes
    this.#pending.push(reply);
    this.#block = undefined;
    this.#filled = 0;
  }

  async #receive(): Promise<void> {
    await this.#sink(await this.#pending.shift()!);
  }
}
