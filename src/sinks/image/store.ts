import type { Layer } from '../../layer/layer.js';
import type { WriteBytes } from '../archive/writer.js';

/** A blob that has been written and waits for its name, which mostly is its digest. */
export interface Blob {
  readonly size: number;
  /** To be called once. A blob whose name is taken already is dropped: names are digests, so they are the same bytes. */
  name(name: string): Promise<void>;
}

/** A blob whose bytes are still coming. Disposing of it gives up one that was not ended. */
export interface BlobBegun extends AsyncDisposable {
  /** Takes the bytes in order, one call at a time. */
  readonly write: WriteBytes;
  end(): Promise<Blob>;
}

/** Where the layers of an image go. Calls are to be awaited, each before the next. */
export interface LayerStore {
  /** Bytes so far, of all that a copy of the output would take. */
  readonly bytes: number;
  /** Begins a blob, which is to be ended before another one begins. */
  begin(): Promise<BlobBegun>;
  /** The blob of a layer that need not be copied first, since its bytes stay where they are until it has its name. Absent where all is copied. */
  keep?(layer: Layer): Blob;
}

/** Where the files of an image go. */
export interface Store extends LayerStore {
  /** Adds a small file. */
  file(path: string, bytes: Buffer): Promise<void>;
  /** Completes the output; nothing is added any more. */
  finish(): Promise<void>;
}
