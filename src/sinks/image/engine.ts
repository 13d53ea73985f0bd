import type { Readable } from 'node:stream';

/** A running engine that takes images. */
export interface Engine {
  /** Sends it an archive of `length` bytes. Throws `TOOL` with what the engine says. */
  load(archive: Readable, length: number, signal: AbortSignal): Promise<void>;
}
