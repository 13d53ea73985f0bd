import type { ConfigOut } from './config-out.js';
import type { InputOptions } from './input.js';
import type { Digest } from './oci/digest.js';
import type { Format } from './sinks/format.js';
import type { DiskOptions } from './sinks/open.js';
import type { Artifact } from './sinks/sink.js';
import type { OpenedImage } from './sources/image.js';
import type { ImageOptions } from './squash.js';

/** What `flatten` is asked to do. */
export interface FlattenOptions extends InputOptions {
  /**
   * A directory (`rootfs/`), a file, `-` for standard output, or an image: `docker-archive:FILE[:NAME:TAG]`, `oci:DIR[:TAG]`,
   * `oci-archive:FILE[:TAG]`, `docker-daemon:NAME[:TAG]`, `docker://[HOST[:PORT]/]NAME[:TAG]`.
   */
  readonly output: string;
  /** Default: what the output's name says. */
  readonly format?: Format;
  /** Replace an existing output once the new one is whole. Default false. */
  readonly force?: boolean;
  /** Fail where the output cannot hold something. Default false. */
  readonly strict?: boolean;
  /** Directories: let a file keep setuid and setgid where the system does not let it have its owner. Default false. */
  readonly keepSetuid?: boolean;
  /** Disk images: their size and identity. */
  readonly disk?: DiskOptions;
  /** Images: their config, the layers they keep, and how the new one is stored. */
  readonly image?: ImageOptions;
  /** Read the output back before it appears, and fail where it differs from the tree. Default false. */
  readonly verify?: boolean;
  /**
   * Compute the digest of an output file. Default: of a flat tar, since its bytes go by, but of a disk image only for `sha256`.
   * Where no core is to spare it costs a third of the time. Images always have one.
   */
  readonly digest?: boolean;
  /** Write files that say how a runtime starts the image: its program, environment, user in numbers, and more. Default: none. */
  readonly configOut?: readonly ConfigOut[];
  /** Write `OUTPUT.sha256` beside the output file, in the form of sha256sum. Default false. */
  readonly sha256?: boolean;
}

/** What `flatten` did. */
export interface FlattenResult {
  /** The image that was read. */
  readonly image: {
    readonly name: string;
    readonly kind: OpenedImage['kind'];
    readonly digest?: Digest;
    readonly platform?: string;
    readonly layers: number;
  };
  readonly format: Format;
  readonly artifact: Artifact;
  readonly seconds: number;
  /** Of an image of a registry: bytes of its manifests and blobs that were fetched, and that the cache had. */
  readonly traffic?: { readonly fetched: number; readonly cached: number };
}
