import type { Layer } from '../layer/layer.js';
import type { ImageConfig } from '../oci/config.js';
import type { Digest } from '../oci/digest.js';
import type { Platform } from '../oci/platform.js';

/** What a source found: one image, chosen, its JSON checked, its layers in order. Close it when the output is written. */
export interface ClosableImage {
  /** How people name it: the first tag, else the digest, else the file's name. */
  readonly name: string;
  /** Where it came from, for messages: `docker-archive`, `oci`, `rootfs`, … */
  readonly kind: 'docker-archive' | 'oci' | 'registry' | 'rootfs';
  /** Of the manifest (OCI) or the config (docker-archive); absent for v1 archives and a bare rootfs. */
  readonly digest?: Digest;
  readonly platform?: Platform;
  /** Absent for a bare rootfs. */
  readonly config?: ImageConfig;
  /** Of the manifest; absent where the format has none. */
  readonly annotations?: ReadonlyMap<string, string>;
  /** Base first. */
  readonly layers: readonly Layer[];
  close(): Promise<void>;
}

/** An image before it is known what to close: what a source makes of files that its caller opened and will close. */
export type OpenedImage = Omit<ClosableImage, 'close'>;

/** Which image of a source is meant. */
export interface Choice {
  /** `NAME`, `NAME:TAG`, a tag or a digest. Absent: the only one. */
  readonly image?: string;
  /** Absent: this machine's, as linux; a single image of another platform is taken all the same. */
  readonly platform?: Platform;
  /** The images for all platforms are meant: those of an OCI layout that have one name. */
  readonly everyPlatform?: boolean;
}

/** Images of one source, opened together and closed together. */
export interface Images {
  readonly images: readonly OpenedImage[];
  close(): Promise<void>;
}
