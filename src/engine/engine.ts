import type { Readable } from 'node:stream';

/** An image that an engine keeps. */
export interface KeptImage {
  /** `sha256:` and its digits. */
  readonly id: string;
  /** As the engine writes them, as `docker.io/library/alpine:latest`. */
  readonly tags: readonly string[];
}

/** How an image is taken out of an engine. */
export interface SaveOptions {
  readonly signal: AbortSignal;
  /** Of an engine that keeps an image for several; those that keep one do not look at it. */
  readonly platform?: { readonly os: string; readonly architecture: string; readonly variant?: string };
}

/** A running engine. Whatever it refuses is thrown as `TOOL`, in its own words. */
export interface Engine {
  /** Sends it an archive of `length` bytes. */
  load(archive: Readable, length: number, signal: AbortSignal): Promise<void>;
  /** What it knows of the image that a name, a digest or an id means; undefined where it has none. */
  find(name: string, signal: AbortSignal): Promise<KeptImage | undefined>;
  /** The names with tags of all its images. */
  names(signal: AbortSignal): Promise<readonly string[]>;
  /**
   * An archive of one image, as `docker save` writes it, while the engine makes it. Where the engine stops in the middle, the
   * stream fails with `TOOL`.
   */
  save(name: string, options: SaveOptions): Promise<Readable>;
}
