import type { Context } from '../context.js';
import type { ByteRange } from '../host/bytes.js';
import type { Digest } from '../oci/digest.js';
import type { RegistryReference } from '../oci/registry-reference.js';
import type { LayerFile } from '../rootfs/node.js';
import type { TarEntry } from '../tar/entry.js';
import type { InputBounds } from './input-bounds.js';
import type { Loading } from './loading.js';

/** A layer as a source found it: stored, perhaps compressed, not yet read. */
export interface Layer {
  /** How errors and progress name it: `layer 3 of 7 (sha256:ab12…)`. */
  readonly name: string;
  /** Of the stored bytes; absent where the format records none (docker-archive). */
  readonly digest?: Digest;
  /** Of the uncompressed tar; absent where the format records none (v1 archives, a bare rootfs). */
  readonly diffID?: Digest;
  /** Stored bytes. */
  readonly size: number;
  /** Whether names that begin with `.wh.` are just names, as in a root filesystem, and no markers of a layer. Default false. */
  readonly isPlain?: boolean;
  /** The repository of a registry that has its blob; absent where it comes from elsewhere. */
  readonly repository?: Pick<RegistryReference, 'host' | 'repository'>;
  /** What the input that it comes from may cost; absent for what is the user's own, as a directory. */
  readonly bounds?: InputBounds;
  /**
   * The stored bytes, good as long as the image is open; absent where no file holds them (a directory), or where none does
   * before the layer was opened (a registry).
   */
  readonly stored?: ByteRange;
  /** Says that it will be opened soon: what takes long may begin. Absent where nothing does. */
  prepare?(context: Context): void;
  /**
   * Makes the layer readable: at once where it lies uncompressed in a file, else by way of a temporary file. `loading`
   * is what it shares with the other layers of its image; absent when it is opened alone.
   */
  open(context: Context, loading?: Loading): Promise<OpenLayer>;
}

/** An entry of a layer, and the file its bytes lie in. */
export interface LayerEntry {
  readonly entry: TarEntry;
  readonly file: LayerFile;
}

/** A layer whose entries can be read. It stays usable until `close`, which the tree's last reader calls. */
export interface OpenLayer {
  entries(): Iterable<LayerEntry>;
  /** Uncompressed bytes. */
  readonly size: number;
  /**
   * Settles when digest and diffID have been computed and compared; rejects with `DIGEST_MISMATCH`. May still run
   * while the entries are read: no output appears before it has resolved.
   */
  readonly verified: Promise<void>;
  close(): void;
}
