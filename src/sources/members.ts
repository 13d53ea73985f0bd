import type { ByteRange } from '../layer/layer.js';

/** The files of an image's envelope: the members of a tar archive, or the files below a directory. */
export interface Members {
  /** As the user named it, for messages. */
  readonly name: string;
  /** The names at the top. */
  top(): ReadonlySet<string>;
  /**
   * Where the bytes of a file are; links are followed as long as they stay inside. Undefined where no file has that
   * path; a `BAD_IMAGE` error for a link cycle or a way out. The range is good until `close`.
   */
  find(path: string): ByteRange | undefined;
  close(): void;
}
