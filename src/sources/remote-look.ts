import { BlobCache } from '../cache/cache.js';
import type { Context } from '../context.js';
import type { Digest } from '../oci/digest.js';
import { readManifest } from '../oci/manifest.js';
import type { Platform } from '../oci/platform.js';
import { formatRegistryReference, type RegistryReference } from '../oci/registry-reference.js';
import type { MirroredRepository } from '../registry/mirrored.js';
import { openMirrored, type RegistryOptions } from '../registry/open.js';
import { CachedRepository } from './cached-repository.js';
import { choose, chooseAll } from './choose.js';
import type { Choice } from './image.js';
import { listRemote } from './remote-candidates.js';
import { RemoteJson } from './remote-json.js';

/** What an image is, as far as its manifest says. */
export interface Look {
  /** Of the manifest; of an index where the images for all platforms are meant. */
  readonly digest?: Digest;
  readonly platform?: Platform;
  /** As they are stored, base first. */
  readonly layers: readonly { readonly digest?: Digest; readonly size: number }[];
}

/** Repositories that stay open while nobody asks them: a list mostly names the images of one after the other. */
const KEPT = 32;

interface Opened {
  readonly repository: MirroredRepository;
  readonly cached: CachedRepository;
}

/**
 * Looks at many images of registries, and fetches no layer. A repository is opened once for the images that are asked for one soon after the other,
 * so that one connection and one token serve them all. Close it to end the connections.
 */
export class RemoteLooks {
  readonly #context: Context;
  readonly #opened = new Map<string, { readonly opening: Promise<Opened>; users: number }>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** The digest that a reference means now: of a manifest, or of an index. */
  async digest(reference: RegistryReference, options: RegistryOptions): Promise<Digest> {
    const { digest, tag } = reference;
    if (digest !== undefined) return digest;
    const { signal } = this.#context;
    return this.#with(reference, options, async ({ repository, cached }) => {
      const tagged = await repository.tagged(tag!, signal);
      // Not every registry says it without sending the manifest.
      return tagged?.digest ?? (await cached.manifest(tag!, signal)).digest;
    });
  }

  /** What the image is that `choice` means; its manifests come by way of the cache. What is wrong with it may be said later, by who opens it. */
  async look(reference: RegistryReference, choice: Choice, options: RegistryOptions): Promise<Look> {
    return this.#with(reference, options, ({ cached }) => this.#lookAt(cached, reference, choice));
  }

  async close(): Promise<void> {
    const all = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(all.map(({ opening }) => closed(opening)));
  }

  async #lookAt(cached: CachedRepository, reference: RegistryReference, choice: Choice): Promise<Look> {
    const { signal } = this.#context;
    const json = new RemoteJson(cached, signal);
    const top = await cached.manifest(reference.digest ?? reference.tag!, signal);
    const name = formatRegistryReference(reference);
    const candidates = await listRemote(json, top, name);
    const chosen = choice.everyPlatform
      ? chooseAll(candidates, choice, name)
      : [choose(candidates, choice, name)];
    const layers: { digest: Digest; size: number }[] = [];
    for (const { descriptor } of chosen) {
      const manifest = readManifest(await json.manifest(descriptor!));
      layers.push(...manifest.layers.map(({ digest, size }) => ({ digest, size })));
    }
    if (choice.everyPlatform) return { digest: top.digest, layers };
    const { descriptor, platform } = chosen[0]!;
    return { digest: descriptor!.digest, ...(platform && { platform }), layers };
  }

  async #with<T>(
    reference: RegistryReference,
    options: RegistryOptions,
    act: (opened: Opened) => Promise<T>,
  ): Promise<T> {
    const { host, repository, digest } = reference;
    // Mirrors may be for digests only.
    const key = JSON.stringify([host, repository, digest !== undefined, options.authfile, options.insecure]);
    const entry = this.#opened.get(key) ?? { opening: this.#open(reference, options), users: 0 };
    this.#opened.delete(key); // the last used stands at the end
    this.#opened.set(key, entry);
    entry.users++;
    try {
      return await act(await entry.opening);
    } finally {
      entry.users--;
      await this.#closeOld();
    }
  }

  async #open(reference: RegistryReference, options: RegistryOptions): Promise<Opened> {
    const context = this.#context;
    const repository = await openMirrored(reference, options, context);
    const cache = new BlobCache(context.cache?.path, context);
    return { repository, cached: new CachedRepository(repository, cache, context.traffic) };
  }

  async #closeOld(): Promise<void> {
    for (const [key, { opening, users }] of this.#opened) {
      if (this.#opened.size <= KEPT) return;
      if (users > 0) continue;
      this.#opened.delete(key);
      await closed(opening);
    }
  }
}

async function closed(opening: Promise<Opened>): Promise<void> {
  await opening.then(({ repository }) => repository.close()).catch(() => {}); // one that did not open needs no closing
}
