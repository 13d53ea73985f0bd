import { compressionOfRange } from '../compression/decompress.js';
import { MAGIC_LENGTH } from '../compression/magic.js';
import type { Context } from '../context.js';
import { FlattenError, ioError, throwIfAborted } from '../errors.js';
import { writeAll } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import type { InputBounds } from '../layer/input-bounds.js';
import type { Layer, OpenLayer } from '../layer/layer.js';
import type { Loading } from '../layer/loading.js';
import { tarLayer } from '../layer/tar-layer.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, short } from '../oci/digest.js';
import type { RepositoryName } from '../registry/destination.js';
import { GrowingFile } from '../threads/growing.js';
import type { Slots } from '../threads/slots.js';
import type { DescribedLayer } from './oci-image.js';

/** Bytes of the largest blob that is unpacked only when all of it is there: a thread that waits for it takes longer to start. */
const SMALL = 4 << 20;

/** Whatever blobs can be fetched from. */
export interface BlobFetcher {
  fetchBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    options: { readonly offset?: number; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>>;
  /** The open file of a blob that need not be fetched; its digest has not been compared. */
  kept?(descriptor: Pick<Descriptor, 'digest' | 'size'>): number | undefined;
  /** Takes away what was kept, since it is damaged. */
  forget?(digest: Digest): void;
}

/** What the blobs of one image share while they are fetched. */
export interface FetchMeans {
  readonly repository: RepositoryName;
  readonly fetcher: BlobFetcher;
  readonly bounds: InputBounds;
  /** Blobs that arrive at one time. */
  readonly slots: Slots;
  /** Takes charge of an open file until the image is closed. */
  hold(fd: number): void;
}

/** A blob that arrives in a temporary file without a name. */
interface Arrival {
  readonly fd: number;
  readonly growing: GrowingFile;
  /** Resolves when there is enough of it to tell its compression. */
  readonly begun: Promise<void>;
  /** Resolves when all is there; rejects with what ended it. Then the file has no more than what came before. */
  readonly whole: Promise<void>;
}

/** A blob of a registry, which is fetched once, whoever asks for it, and again only after it failed. */
export class RemoteBlob {
  readonly descriptor: Descriptor;
  readonly #means: FetchMeans;
  #arrival: Arrival | undefined;
  #isKept = false;
  readonly #listeners = new Set<(done: number) => void>();

  constructor(descriptor: Descriptor, means: FetchMeans) {
    this.descriptor = descriptor;
    this.#means = means;
  }

  /** The file that it is in, once all of it is there. */
  get stored(): number | undefined {
    const { fd, growing } = this.#arrival ?? {};
    return growing?.length === this.descriptor.size ? fd : undefined;
  }

  /** Begins to fetch it, if nobody has. `onProgress` is told of the bytes that are there. */
  fetch({ tmp, signal }: Pick<Context, 'tmp' | 'signal'>, onProgress?: (done: number) => void): Arrival {
    if (onProgress !== undefined) this.#listeners.add(onProgress);
    this.#arrival ??= this.#begin(tmp, signal);
    return this.#arrival;
  }

  /** Whether it was there already, and nothing of it is compared. */
  get isKept(): boolean {
    return this.#isKept;
  }

  /** Says that what was kept is damaged: it is fetched by whoever asks next. False where it was not kept. */
  refetch(): boolean {
    if (!this.#isKept) return false;
    this.#means.fetcher.forget?.(this.descriptor.digest);
    this.#isKept = false;
    this.#arrival = undefined;
    return true;
  }

  #begin(tmp: string, signal: AbortSignal): Arrival {
    const { fetcher, hold, bounds } = this.#means;
    const kept = fetcher.kept?.(this.descriptor);
    if (kept !== undefined) {
      hold(kept);
      const { size } = this.descriptor;
      bounds.add(size);
      const growing = new GrowingFile();
      growing.grow(size);
      growing.end();
      this.#isKept = true;
      for (const tell of this.#listeners) tell(size);
      return { fd: kept, growing, begun: Promise.resolve(), whole: Promise.resolve() };
    }
    const fd = unlinkedFile(tmp);
    this.#means.hold(fd);
    const growing = new GrowingFile();
    let tellBegun = () => {};
    const some = new Promise<void>((resolve) => {
      tellBegun = resolve;
    });
    const whole = this.#copy(fd, growing, signal, tellBegun)
      .catch((error: unknown) => {
        this.#arrival = undefined;
        throw error;
      })
      .finally(() => growing.end());
    const begun = Promise.race([some, whole]);
    for (const each of [begun, whole]) each.catch(() => {}); // it may have been begun for nobody yet
    return { fd, growing, begun, whole };
  }

  async #copy(fd: number, growing: GrowingFile, signal: AbortSignal, tellBegun: () => void): Promise<void> {
    const { fetcher, bounds, slots } = this.#means;
    const { digest, size } = this.descriptor;
    await slots.take();
    try {
      throwIfAborted(signal);
      for await (const chunk of await fetcher.fetchBlob(this.descriptor, { signal })) {
        throwIfAborted(signal);
        bounds.add(chunk.length);
        write(fd, chunk, growing.length);
        growing.grow(chunk.length);
        if (growing.length >= MAGIC_LENGTH) tellBegun();
        for (const tell of this.#listeners) tell(growing.length);
      }
      if (growing.length === size) return;
      const what = `blob ${short(digest)}: ${growing.length} bytes came, and its descriptor says ${size}`;
      throw new FlattenError('DIGEST_MISMATCH', what);
    } finally {
      slots.give();
    }
  }
}

function write(fd: number, chunk: Uint8Array, position: number): void {
  try {
    writeAll(fd, chunk, position);
  } catch (error) {
    throw ioError(error, 'writing a temporary file');
  }
}

/** A layer of a registry: it is unpacked while it arrives. */
export function fetchedLayer(
  { name, digest, diffID }: DescribedLayer,
  blob: RemoteBlob,
  { bounds, repository }: Pick<FetchMeans, 'bounds' | 'repository'>,
): Layer {
  const { size } = blob.descriptor;
  const opened = async (context: Context, loading?: Loading): Promise<OpenLayer> => {
    try {
      const { fd, growing, begun, whole } = blob.fetch(context, loading?.progress);
      await begun;
      const stored = { fd, offset: 0, length: size };
      const compression = compressionOfRange({ ...stored, length: growing.length });
      const isStreamed = !blob.isKept && size > SMALL && (compression === 'gzip' || compression === 'zstd');
      if (!isStreamed) await whole;
      const arriving = isStreamed && { arriving: { growth: growing.shared, whole } };
      const layer = await tarLayer({ name, blob: stored, digest, diffID, bounds, ...arriving }).open(
        context,
        loading,
      );
      layer.verified.catch(() => blob.refetch()); // it is too late for this run, and not for the next
      await whole.catch((error: unknown) => {
        layer.close();
        throw error;
      });
      return layer;
    } catch (error) {
      throw error instanceof FlattenError && error.code !== 'INTERRUPTED' ? error.inLayer(name) : error;
    }
  };
  return {
    name,
    digest,
    diffID,
    size,
    bounds,
    repository,
    isPlain: false,
    get stored() {
      const fd = blob.stored;
      return fd === undefined ? undefined : { fd, offset: 0, length: size };
    },
    prepare: (context) => void blob.fetch(context),
    async open(context, loading) {
      try {
        return await opened(context, loading);
      } catch (error) {
        const isDamaged = error instanceof FlattenError && error.code === 'DIGEST_MISMATCH';
        if (isDamaged && blob.refetch()) return opened(context, loading);
        throw error;
      }
    },
  } as Layer;
}
