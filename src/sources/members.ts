import type { ByteRange } from '../host/bytes.js';

/** The files of an image's envelope: the members of a tar archive, or the files below a directory. */
export interface Members {
  /** As the user named it, for messages. */
  readonly name: string;
  /** Whether they lie in an archive, which has to be unpacked before a path leads to them. */
  readonly isArchive: boolean;
  /** The names at the top. */
  top(): ReadonlySet<string>;
  /** The names in a directory (latin1); none where it is no directory, or an empty one. */
  names(directory: string): ReadonlySet<string>;
  /**
   * Where the bytes of a file are; links are followed as long as they stay inside. Undefined where no file has that
   * path; a `BAD_IMAGE` error for a link cycle or a way out. The range is good until `close`.
   */
  find(path: string): ByteRange | undefined;
  close(): void;
}
