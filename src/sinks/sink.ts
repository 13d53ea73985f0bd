import type { Context } from '../context.js';
import type { InputBounds } from '../layer/input-bounds.js';
import type { Layer } from '../layer/layer.js';
import type { Loss, Losses } from '../losses.js';
import type { ImageConfig } from '../oci/config.js';
import type { Digest } from '../oci/digest.js';
import type { Platform } from '../oci/platform.js';
import type { Directory, Rootfs } from '../rootfs/node.js';
import type { DmVerity } from '../verity/verity.js';

/** What a sink is given to write. */
export interface Flattened {
  readonly rootfs: Rootfs;
  /** The image's config; absent for a bare rootfs. */
  readonly config?: ImageConfig;
  /** The source image's digest, where it has one. */
  readonly digest?: Digest;
  /** What else is known of the image. */
  readonly image?: {
    readonly layers: number;
    readonly platform?: Platform;
    readonly annotations?: ReadonlyMap<string, string>;
  };
  /** Lower layers of the source that an image output keeps as they are, and the tree they give, which shares inodes with `rootfs`. */
  readonly base?: { readonly layers: readonly Layer[]; readonly root: Directory };
  /** What the input that the tree was made of may cost; absent for what is the user's own. */
  readonly bounds?: InputBounds;
  /** Resolves once every digest was found right. A sink awaits it before its output appears, and before the first byte to a stream. */
  readonly verified: Promise<void>;
}

/** What was written. */
export interface Artifact {
  /** As the user named it; `-` for standard output. */
  readonly output: string;
  readonly entries: number;
  /** Content bytes for a directory, the file's size for everything else. */
  readonly bytes: number;
  /** Of the written file or stream; of an image its manifest's, or in Docker's forms its config's, which is Docker's image ID; absent for a directory. */
  readonly digest?: Digest;
  /** Of an image in a registry: its whole name, `HOST/NAME:TAG@DIGEST`. */
  readonly reference?: string;
  /** Of a disk image with a hash tree. */
  readonly verity?: DmVerity;
  readonly losses: readonly Loss[];
}

/** Options that every sink obeys. */
export interface SinkOptions {
  /** Replace an existing output once the new one is whole. */
  readonly force: boolean;
  /** Any loss is a `LOSS` error, and nothing appears. */
  readonly strict: boolean;
  /** Directories: let a file keep setuid and setgid where the system does not let it have its owner. Default false. */
  readonly keepSetuid?: boolean;
  /** Looks at the finished output, under its temporary name (an image's with a transport, as `oci:DIR`), before it appears; what it throws stops that. */
  readonly check?: (path: string) => Promise<void>;
}

/**
 * Writes a finished tree somewhere. Works in a temporary sibling of the output, which appears by a rename when all of
 * it is written and verified; on any error or abort nothing of it stays.
 */
export interface Sink<T extends Flattened = Flattened> {
  write(flattened: T, context: Context): Promise<Artifact>;
}

/** What was written, with the losses that were known before. */
export function withLosses(artifact: Artifact, before: Losses): Artifact {
  before.merge(artifact.losses);
  return { ...artifact, losses: before.list() };
}
