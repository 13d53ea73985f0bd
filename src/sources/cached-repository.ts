import { closeSync, fstatSync } from 'node:fs';
import type { BlobCache } from '../cache/cache.js';
import { closing } from '../cache/tee.js';
import type { Traffic } from '../context.js';
import { readRange } from '../host/bytes.js';
import type { Descriptor } from '../oci/descriptor.js';
import { type Digest, isDigest } from '../oci/digest.js';
import type { FetchedManifest } from '../registry/repository.js';
import type { ManifestFetcher } from './remote-json.js';

/** A repository of a registry, as far as the cache asks it. */
export interface CachedSource extends ManifestFetcher {
  /** The digest that a tag has; undefined where the registry does not say. */
  tagged(
    tag: string,
    signal: AbortSignal,
  ): Promise<Pick<FetchedManifest, 'digest' | 'mediaType'> | undefined>;
}

/**
 * A repository behind a cache: what is there is not fetched. An image that is all there takes one question, for the digest that its tag
 * has now, and none where it is named by digest.
 */
export class CachedRepository implements ManifestFetcher {
  readonly #source: CachedSource;
  readonly #cache: BlobCache;
  readonly #traffic: Traffic;

  /** `traffic` is counted up. */
  constructor(source: CachedSource, cache: BlobCache, traffic: Traffic = { fetched: 0, cached: 0 }) {
    this.#source = source;
    this.#cache = cache;
    this.#traffic = traffic;
  }

  async manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest> {
    const known = isDigest(wanted)
      ? { digest: wanted, mediaType: '' }
      : this.#cache.isUsed && (await this.#source.tagged(wanted, signal));
    const bytes = known && (await this.#kept(known.digest));
    if (known && bytes) {
      this.#traffic.cached += bytes.length;
      return { ...known, mediaType: known.mediaType || mediaTypeIn(bytes), bytes };
    }
    const fetched = await this.#source.manifest(wanted, signal);
    this.#traffic.fetched += fetched.bytes.length;
    await this.#cache.put(fetched.digest, fetched.bytes);
    return fetched;
  }

  async fetchBlob(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>> {
    const fd = await this.#cache.verified(descriptor);
    if (fd !== undefined) {
      this.#traffic.cached += descriptor.size;
      return closing(fd);
    }
    return this.#counted(descriptor, signal);
  }

  /** What the network does not bring of the stream, another process has brought. */
  async *#counted(
    descriptor: Pick<Descriptor, 'digest' | 'size'>,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const traffic = this.#traffic;
    let fetched = 0;
    let all = 0;
    const source = this.#source;
    async function* fetch({ offset }: { readonly offset: number }): AsyncGenerator<Uint8Array> {
      for await (const chunk of await source.fetchBlob(descriptor, { offset, signal })) {
        fetched += chunk.length;
        traffic.fetched += chunk.length;
        yield chunk;
      }
    }
    for await (const chunk of this.#cache.stream(descriptor, async (options) => fetch(options))) {
      all += chunk.length;
      yield chunk;
    }
    traffic.cached += Math.max(all - fetched, 0);
  }

  /** The open file of a blob that is in the cache already; its digest has not been compared. */
  kept(descriptor: Pick<Descriptor, 'digest' | 'size'>): number | undefined {
    const fd = this.#cache.find(descriptor);
    if (fd !== undefined) this.#traffic.cached += descriptor.size;
    return fd;
  }

  /** Takes a blob out of the cache that was found to be damaged. */
  forget(digest: Digest): void {
    this.#cache.forget(digest);
  }

  async #kept(digest: Digest): Promise<Buffer | undefined> {
    const fd = await this.#cache.verified({ digest });
    if (fd === undefined) return undefined;
    try {
      const range = { fd, offset: 0, length: fstatSync(fd).size };
      const bytes = Buffer.alloc(range.length);
      for (let done = 0; done < bytes.length; ) done += readRange(range, bytes.subarray(done), done);
      return bytes;
    } finally {
      closeSync(fd);
    }
  }
}

/** What a manifest says that it is; old ones of OCI do not. */
function mediaTypeIn(bytes: Buffer): string {
  try {
    const { mediaType } = JSON.parse(bytes.toString()) as { mediaType?: unknown };
    return typeof mediaType === 'string' ? mediaType : '';
  } catch {
    return '';
  }
}
