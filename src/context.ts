/**
 * What a run is busy with, in the order in which it may come to it: bringing a stream or a compressed archive into a file, reading layers,
 * reading content for a disk image's size, writing, hashing a disk image for dm-verity, compressing one, reading the output back, computing
 * its digest, sending an image to an engine or to standard output. What needs no time of its own is left out; several images are made one after the other.
 */
export type Phase = 'open' | 'load' | 'plan' | 'write' | 'verity' | 'compress' | 'check' | 'digest' | 'send';

/** What a warning is about, as a word that a program can branch on. */
export type WarningCode =
  | 'ACL_NAMES' // ACLs name users or groups that only this machine knows
  | 'BACKUP' // an incremental backup: its lists of names are skipped
  | 'CREDENTIALS' // a program that keeps credentials is missing or fails
  | 'IDLE_GLOB' // a glob matches nothing
  | 'LABEL' // the label of an archive is skipped
  | 'MANIFEST_SKIPPED' // manifest.json is broken, and index.json is used
  | 'MIRROR' // a mirror of a registry fails, and another place is asked
  | 'NO_CACHE' // the cache of blobs cannot be used
  | 'NO_END' // an archive has no end, and may be cut short
  | 'NO_XATTRS' // xattrs of a directory of this machine cannot be read
  | 'OVERLAYFS' // a layer has overlayfs's own marks
  | 'REGISTRY' // a registry says something
  | 'RETRY' // a server has failed, and is asked again
  | 'SOCKETS' // sockets are left out
  | 'STALE_DIGEST' // OUTPUT.sha256 is of the output before
  | 'VERITY_JOURNAL' // a journal that may be replayed would change what is hashed
  | 'VERITY_TRUST' // nobody says which root hash an image should have, or what says so is of another image
  | 'SYMLINK_REPLACED' // a directory with content replaces a symlink to a directory
  | 'WAITING'; // a registry is busy or lost the connection, and is asked again a little later

/** What a run tells its caller while it works. */
export type RunEvent =
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
  /** Something a person should know that is no error. `message` is whole: it names layer and path too. */
  | {
      readonly type: 'warning';
      readonly code: WarningCode;
      readonly message: string;
      /** As errors name it. */
      readonly layer?: string;
      /** Latin1, as in errors. */
      readonly path?: string;
    };

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

/** Bytes of manifests and blobs of registries, as they are stored; counted up while a run goes on. */
export interface Traffic {
  /** Those that came by the network. */
  fetched: number;
  /** Those that the cache had, or that another process brought meanwhile. */
  cached: number;
}

/** What every step of one run shares. */
export interface Context {
  /** Aborted when the caller wants out: stop soon, leave nothing behind, throw `INTERRUPTED`. */
  readonly signal: AbortSignal;
  /** An existing directory for unlinked temporary files, with room for the image's uncompressed layers. */
  readonly tmp: string;
  readonly limits: Limits;
  /** Where downloaded blobs are kept, and how many bytes of them; without a path, none are. */
  readonly cache?: { readonly path?: string; readonly size?: number };
  /** Counts what comes from registries. */
  readonly traffic?: Traffic;
  /** False: digests are neither computed nor compared. */
  readonly digests: boolean;
  report(event: RunEvent): void;
}
