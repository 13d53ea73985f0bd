import type { WriteBytes } from '../tar/writer.js';

/** A blob that has been written and waits for its name, which mostly is its digest. */
export interface Blob {
  readonly size: number;
  /** To be called once. A blob whose name is taken already is dropped: names are digests, so they are the same bytes. */
  name(path: string): Promise<void>;
}

/** Where the files of an image go. Calls are to be awaited, each before the next. */
export interface Store {
  /** Bytes so far, of all that a copy of the output would take. */
  readonly bytes: number;
  /** Adds a blob; `write` is given where its bytes go, in order. */
  blob(write: (put: WriteBytes) => Promise<void>): Promise<Blob>;
  /** Adds a small file. */
  file(path: string, bytes: Buffer): Promise<void>;
  /** Completes the output; nothing is added any more. */
  finish(): Promise<void>;
}
