/** What a run tells its caller while it works. Byte counts are totals so far, not steps. */
export type Event =
  /** A layer is being read: `done` of `total` stored bytes. `layer` counts from 1. */
  | {
      readonly type: 'load';
      readonly layer: number;
      readonly layers: number;
      readonly done: number;
      readonly total: number;
    }
  /** The output is being written: `done` of `total` content bytes. */
  | { readonly type: 'write'; readonly done: number; readonly total: number }
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
  /** False after `--no-verify`: digests are neither computed nor compared. */
  readonly verify: boolean;
  report(event: Event): void;
}
