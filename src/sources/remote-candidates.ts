import { FlattenError } from '../errors.js';
import { type Descriptor, readDescriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { readIndex } from '../oci/image-index.js';
import type { Json } from '../oci/json.js';
import { readManifest } from '../oci/manifest.js';
import { isConfigType, isIndexType } from '../oci/media-type.js';
import { type Platform, readPlatform } from '../oci/platform.js';
import type { FetchedManifest } from '../registry/repository.js';
import { COUNT_LIMIT } from './choose.js';
import { artifact, DEPTH_LIMIT, noImage, type OciCandidate, otherThanImage } from './oci-candidates.js';
import type { RemoteJson } from './remote-json.js';

/** Manifests that are fetched to find out which one is meant: where an index says no platform, or leads to other indexes. */
const FETCH_LIMIT = 100;

export type RemoteCandidate = OciCandidate;

/** What the indexes on the way to a manifest say of it. */
interface Way {
  readonly digests: readonly Digest[];
  readonly depth: number;
}

/**
 * Lists the images that a manifest or an index of a registry leads to; all of them are called `name`. Only what must be known to choose is
 * fetched: what an index says of the platform is taken for true. Artifacts and attestations are hidden.
 */
export async function listRemote(
  json: RemoteJson,
  top: FetchedManifest,
  name: string,
): Promise<RemoteCandidate[]> {
  const names = [name];
  const candidates: RemoteCandidate[] = [];
  let count = 0;
  let fetches = 0;
  const fetched = (descriptor: Descriptor): Promise<Json> => {
    if (++fetches > FETCH_LIMIT) {
      throw new FlattenError(
        'LIMIT',
        `${name}: more than ${FETCH_LIMIT} manifests would have to be fetched`,
        {
          hint: 'name the one that is meant by its digest',
        },
      );
    }
    return json.manifest(descriptor);
  };
  const visit = async (index: Json, { digests, depth }: Way): Promise<void> => {
    if (depth > DEPTH_LIMIT)
      throw new FlattenError('LIMIT', `${name}: has indexes nested more than ${DEPTH_LIMIT} deep`);
    for (const item of readIndex(index)) {
      if (++count > COUNT_LIMIT)
        throw new FlattenError('LIMIT', `${name}: leads to more than ${COUNT_LIMIT} manifests`);
      const descriptor = attempt(() => readDescriptor(item));
      if (descriptor instanceof FlattenError) {
        candidates.push({ names, digests: [], error: descriptor });
        continue;
      }
      const called = { names, digests: [descriptor.digest, ...digests] };
      const other = otherThanImage(descriptor) ?? namedArtifact(descriptor);
      if (other !== undefined) candidates.push({ ...called, ...other });
      else if (descriptor.platform && !isIndexType(descriptor.mediaType))
        candidates.push({ ...called, descriptor, platform: descriptor.platform });
      else {
        const manifest = await fetched(descriptor);
        if (manifest.get('manifests').missing)
          candidates.push({ ...called, descriptor, ...(await platformOf(json, manifest)) });
        else await visit(manifest, { digests: called.digests, depth: depth + 1 });
      }
    }
  };
  const manifest = json.read(top);
  if (manifest.get('manifests').missing)
    return [
      { names, digests: [top.digest], descriptor: described(top), ...(await platformOf(json, manifest)) },
    ];
  await visit(manifest, { digests: [top.digest], depth: 1 });
  return candidates;
}

function namedArtifact({ digest, artifactType }: Descriptor) {
  return artifactType === undefined ? undefined : noImage(digest, artifact(artifactType));
}

/** A manifest that nothing describes but itself. */
function described({ digest, mediaType, bytes }: FetchedManifest): Descriptor {
  return { digest, mediaType, size: bytes.length, urls: [], annotations: new Map() };
}

/** Where the index says no platform, the config may; what is wrong with it is said when the image is opened. */
async function platformOf(json: RemoteJson, manifest: Json): Promise<{ readonly platform?: Platform }> {
  const config = attempt(() => readManifest(manifest).config);
  if (config instanceof FlattenError || !isConfigType(config.mediaType)) return {};
  const read = await json.blob(config, 'config');
  const platform = attempt(() => readPlatform(read));
  return platform === undefined || platform instanceof FlattenError ? {} : { platform };
}

function attempt<T>(step: () => T): T | FlattenError {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof FlattenError) || error.code === 'LIMIT') throw error;
    return error;
  }
}
