import { createHash } from 'node:crypto';
import type { Digest } from '../../oci/digest.js';
import { Thread } from '../../threads/thread.js';
import type { HashRequest } from './hash-worker.js';
import { inTurn, type WriteBytes } from './writer.js';

/** The sha256 of bytes that are handed over in order. */
export interface ByteHash {
  /** Resolves when the bytes have been read and may change; need not be awaited before the next call. */
  update(bytes: Uint8Array): Promise<void>;
  /** To be called once, after the last update. */
  digest(): Promise<Digest>;
  /** Ends its thread; in every case to be called. */
  close(): void;
}

/** Above so many bytes a thread of its own saves more than its start costs. */
const WORTH_A_THREAD = 32 * 1024 * 1024;

/** Bytes that are handed on, and digested on the way. */
export interface Hashing extends AsyncDisposable {
  /** Resolves when the bytes may change; need not be awaited before the next call. */
  write(bytes: Uint8Array): Promise<void>;
  /** To be called once, when all is written. */
  digest(): Promise<Digest>;
}

/** Hands bytes on to `put`, one call at a time. `bytes` is about how many there will be. */
export function hashing(bytes: number, put: WriteBytes): Hashing {
  const hash = openHash(bytes);
  const putNext = inTurn(put);
  return {
    async write(chunk) {
      const readers = [putNext(chunk), hash.update(chunk)];
      // Not before both are through, also when one has failed, are the bytes and the descriptor free.
      await Promise.allSettled(readers);
      await Promise.all(readers);
    },
    digest: () => hash.digest(),
    [Symbol.asyncDispose]: async () => hash.close(),
  };
}

/** A hash for about so many bytes. */
export function openHash(bytes: number): ByteHash {
  return bytes > WORTH_A_THREAD ? new ThreadHash() : new PlainHash();
}

class PlainHash implements ByteHash {
  readonly #hash = createHash('sha256');

  async update(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
  }

  async digest(): Promise<Digest> {
    return `sha256:${this.#hash.digest('hex')}`;
  }

  close(): void {}
}

/** Hashes in another thread, without a copy where the bytes are in shared memory. */
class ThreadHash implements ByteHash {
  readonly #thread = new Thread<HashRequest, string>(new URL('./hash-worker.js', import.meta.url));

  async update(bytes: Uint8Array): Promise<void> {
    await this.#thread.ask(bytes.buffer instanceof SharedArrayBuffer ? bytes : Uint8Array.from(bytes));
  }

  async digest(): Promise<Digest> {
    return `sha256:${await this.#thread.ask('digest')}`;
  }

  close(): void {
    void this.#thread.terminate();
  }
}
