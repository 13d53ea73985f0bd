import type { RunEvent } from '../context.js';
import type { FlattenError } from '../errors.js';
import type { Loss } from '../losses.js';
import type { FlattenOptions } from '../options.js';
import type { ItemOptions } from './item.js';
import type { Shard } from './shard.js';

/** How a list of images is made: what all of them share, and how many at a time. */
export interface BatchOptions extends ItemOptions {
  /**
   * The names of the outputs: `disks/{repository}/{tag}.ext4`, with `{registry}`, `{repository}`, `{name}`, `{tag}`, `{digest}`, `{platform}` and `{layers}`.
   * Directories that are missing are made.
   */
  readonly output: string;
  /** Images at one time. Default: as many as there are processors, and as the memory holds. */
  readonly jobs?: number;
  /** Seconds that one image may take. Default: any number. */
  readonly timeout?: number;
  /** Only one of several parts of the list. A list is divided by the names of its outputs, the same way everywhere. */
  readonly shard?: Shard;
  /** Stop at the first image that fails; those that are being made are given up. Default false. */
  readonly failFast?: boolean;
  /** Abort it to stop; nothing half-made stays. */
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: BatchEvent) => void;
}

/** What a batch tells while it works, besides its results. */
export type BatchEvent =
  /** So many of all images were looked at. */
  | { readonly type: 'looked'; readonly done: number; readonly total: number }
  /** What was to be said while images were looked at. */
  | Extract<RunEvent, { readonly type: 'warning' }>
  /** So many images are to be made, of so many stored bytes as far as they are known. */
  | { readonly type: 'due'; readonly images: number; readonly bytes: number }
  /** An image is begun, of so many stored bytes. */
  | { readonly type: 'begun'; readonly output: string; readonly image: string; readonly bytes: number }
  /** What the run of one image tells. */
  | { readonly type: 'run'; readonly output: string; readonly event: RunEvent };

/** What came of one image. */
export interface BatchResult {
  /** `current`: the output was there, of this image, these options and this version. */
  readonly state: 'done' | 'current' | 'failed';
  /** Where the list has the image: `fleet.txt:3`. */
  readonly place: string;
  /** The image, as the list has it, without what may be a secret. */
  readonly image: string;
  /** Of the image. */
  readonly digest?: string;
  readonly platform?: string;
  readonly layers?: number;
  /** Absent where it has no name, since the image could not be looked at. */
  readonly output?: string;
  readonly entries?: number;
  /** Of the output. */
  readonly bytes?: number;
  /** Of the output, where it was computed. */
  readonly outputDigest?: string;
  readonly losses: readonly Loss[];
  readonly seconds: number;
  /** Bytes of manifests and blobs that came from the network for this image, and from the cache. */
  readonly fetched: number;
  readonly cached: number;
  /** Of a failed one. */
  readonly error?: FlattenError;
  /** What `flatten` takes to make this image alone. */
  readonly request?: Omit<FlattenOptions, 'signal' | 'onEvent'>;
}
