/**
 * What a run is busy with, in the order in which it may come to it: bringing a stream or a compressed archive into a file, reading layers,
 * reading content for a disk image's size, writing, compressing a disk image, reading the output back, computing
 * its digest, sending an image to an engine or to standard output. What needs no time of its own is left out; several images are made one after the other.
 */
export type Phase = 'open' | 'load' | 'plan' | 'write' | 'compress' | 'check' | 'digest' | 'send';

/** What a run tells its caller while it works. */
export type Event =
  /**
   * `done` of `total` bytes of a phase. It begins with 0, never goes back or beyond the total, and ends with `done` equal to
   * `total`, which is absent before where nobody knows it (a stream). The bytes of `open` and `load` are stored ones.
   */
  | {
      readonly type: 'progress';
      readonly phase: Phase;
      readonly done: number;
      readonly total?: number;
      /** The lowest layer that is still being read, from 1, of so many. */
      readonly layer?: number;
      readonly layers?: number;
    }
  /** Something a person should know that is no error. */
  | { readonly type: 'warning'; readonly message: string };

/** Bounds on untrusted input; passing one is a `LIMIT` error. */
export interface Limits {
  /** Bytes: of one image's uncompressed layers, and of all the files in its tree. */
  readonly maxSize: number;
  /** Entries in all layers of one image. */
  readonly maxEntries: number;
  /** Those that the user has named. The others are less for a small input, which can ask for little: {@link InputBounds}. */
  readonly named?: readonly ('maxSize' | 'maxEntries')[];
}

/** Generous for honest images; what a small input may cost is bounded by its size before. */
export const DEFAULT_LIMITS: Limits = { maxSize: 64 * 2 ** 30, maxEntries: 2_000_000 };

/** What every step of one run shares. */
export interface Context {
  /** Aborted when the caller wants out: stop soon, leave nothing behind, throw `INTERRUPTED`. */
  readonly signal: AbortSignal;
  /** An existing directory for unlinked temporary files, with room for the image's uncompressed layers. */
  readonly tmp: string;
  readonly limits: Limits;
  /** False: digests are neither computed nor compared. */
  readonly digests: boolean;
  report(event: Event): void;
}
