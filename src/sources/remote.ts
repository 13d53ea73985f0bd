import { closeSync } from 'node:fs';
import { BlobCache } from '../cache/cache.js';
import { pruneCache } from '../cache/prune.js';
import { CacheTrouble } from '../cache/trouble.js';
import type { Context } from '../context.js';
import type { InputBounds } from '../layer/input-bounds.js';
import { readConfig } from '../oci/config.js';
import { artifactKind, readManifest } from '../oci/manifest.js';
import { formatRegistryReference } from '../oci/registry-reference.js';
import { openMirrored, type RegistryOptions } from '../registry/open.js';
import { Slots } from '../threads/slots.js';
import { CachedRepository } from './cached-repository.js';
import { choose, chooseAll } from './choose.js';
import { type FetchMeans, fetchedLayer, RemoteBlob } from './fetched-layer.js';
import type { Choice, Images, OpenedImage } from './image.js';
import { artifact, noImage } from './oci-candidates.js';
import { ociImage } from './oci-image.js';
import { listRemote, type RemoteCandidate } from './remote-candidates.js';
import { RemoteJson } from './remote-json.js';
import type { RegistryInput } from './transport.js';

/** Layers that arrive at one time. */
const AT_A_TIME = 6;

interface Means {
  readonly context: Context;
  readonly bounds: InputBounds;
  readonly options: RegistryOptions;
}

/**
 * Opens the image that `choice` means in a registry, or those for all platforms: of an index only what is meant is fetched. Layers arrive when they
 * are opened. `close` ends the connections.
 */
export async function openRemote(
  { reference }: RegistryInput,
  choice: Choice,
  means: Means,
): Promise<Images> {
  const { context } = means;
  const repository = await openMirrored(reference, means.options, context);
  const held: number[] = [];
  const close = async () => {
    await repository.close();
    pruned(context);
    for (const fd of held.splice(0)) closeSync(fd);
  };
  try {
    const cached = new CachedRepository(
      repository,
      new BlobCache(context.cache?.path, context),
      context.traffic,
    );
    const json = new RemoteJson(cached, context.signal);
    const top = await cached.manifest(reference.digest ?? reference.tag!, context.signal);
    const name = formatRegistryReference(reference);
    const candidates = await listRemote(json, top, name);
    const chosen = choice.everyPlatform
      ? chooseAll(candidates, choice, name)
      : [choose(candidates, choice, name)];
    const fetching = {
      repository: { host: reference.host, repository: reference.repository },
      fetcher: cached,
      bounds: means.bounds,
      slots: new Slots(AT_A_TIME),
      hold: (fd: number) => void held.push(fd),
    };
    const blobs = new Map<string, RemoteBlob>();
    const images: OpenedImage[] = [];
    for (const each of chosen) images.push(await openOne(each, name, json, { ...fetching, blobs }));
    return { images, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The cache has no more than it may when a run ends; one that cannot be pruned has been told of. */
function pruned({ cache: { path, size } = {} }: Context): void {
  if (path === undefined || size === undefined) return;
  try {
    pruneCache(path, size);
  } catch (error) {
    if (!(error instanceof CacheTrouble)) throw error;
  }
}

async function openOne(
  { descriptor, platform }: RemoteCandidate,
  name: string,
  json: RemoteJson,
  means: FetchMeans & { readonly blobs: Map<string, RemoteBlob> },
): Promise<OpenedImage> {
  const { digest } = descriptor!;
  const manifest = readManifest(await json.manifest(descriptor!));
  const kind = artifactKind(manifest);
  if (kind !== undefined) throw noImage(digest, artifact(kind)).error;
  const config = readConfig(await json.blob(manifest.config, 'config'));
  const image = ociImage({ name, digest, manifest, config, ...(platform && { platform }) }, (layer) => {
    const blob = means.blobs.get(layer.digest) ?? new RemoteBlob(layer.descriptor, means);
    if (!means.blobs.has(layer.digest)) means.bounds.expect(layer.descriptor.size);
    means.blobs.set(layer.digest, blob);
    return fetchedLayer(layer, blob, means);
  });
  return { ...image, kind: 'registry' };
}
