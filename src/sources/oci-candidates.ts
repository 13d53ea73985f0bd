import { FlattenError } from '../errors.js';
import { type Descriptor, readDescriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import { isAttestation, namesOf, readIndex } from '../oci/image-index.js';
import type { Json } from '../oci/json.js';
import { artifactKind, type Manifest, readManifest } from '../oci/manifest.js';
import { isIndexType, isManifestType } from '../oci/media-type.js';
import { type Platform, readPlatform } from '../oci/platform.js';
import { shown } from '../oci/shown.js';
import { type Candidate, COUNT_LIMIT } from './choose.js';
import type { Blobs } from './oci-blobs.js';

/** How deep indexes may lie in indexes. */
export const DEPTH_LIMIT = 8;

/** Something that an index of a layout leads to. Without an `error`, it is an image and has its `descriptor`. */
export interface OciCandidate extends Candidate {
  readonly descriptor?: Descriptor;
}

/** What the indexes on the way to a manifest say of it. */
interface Way {
  readonly names: readonly string[];
  readonly digests: readonly Digest[];
  readonly depth: number;
}

/**
 * Lists all that a layout's `index.json` leads to, through nested indexes too. Attestations, artifacts and manifests
 * whose blob is left out are hidden; what is broken carries its error. Throws only where `index.json` itself is broken
 * or a bound is passed.
 */
export function listCandidates(blobs: Blobs, index: Json): OciCandidate[] {
  let count = 0;
  function* visit(descriptors: readonly Json[], way: Way): Generator<OciCandidate> {
    if (way.depth > DEPTH_LIMIT) {
      throw new FlattenError('LIMIT', `index.json: has indexes nested more than ${DEPTH_LIMIT} deep`);
    }
    for (const json of descriptors) {
      if (++count > COUNT_LIMIT) {
        throw new FlattenError('LIMIT', `index.json: leads to more than ${COUNT_LIMIT} manifests`);
      }
      const descriptor = attempt(() => readDescriptor(json));
      if (descriptor instanceof FlattenError) {
        yield { names: way.names, digests: [], error: descriptor };
        continue;
      }
      const names = [...new Set([...namesOf(descriptor), ...way.names])];
      const digests = [descriptor.digest, ...way.digests];
      const found = follow(blobs, descriptor);
      if ('nested' in found) yield* visit(found.nested, { names, digests, depth: way.depth + 1 });
      else yield { names, digests, ...found };
    }
  }
  return [...visit(readIndex(index), { names: [], digests: [], depth: 1 })];
}

type Found = { readonly nested: readonly Json[] } | Omit<OciCandidate, 'names' | 'digests'>;

function follow(blobs: Blobs, descriptor: Descriptor): Found {
  const { digest, platform } = descriptor;
  const other = otherThanImage(descriptor);
  if (other !== undefined) return other;
  const found = attempt((): Found => {
    const json = blobs.json(descriptor, 'manifest');
    if (!json.get('manifests').missing) return { nested: readIndex(json) };
    const manifest = readManifest(json);
    const kind = artifactKind(manifest);
    if (kind !== undefined) return noImage(digest, artifact(kind));
    const runsOn = platform ?? configPlatform(blobs, manifest);
    return { descriptor, ...(runsOn && { platform: runsOn }) };
  });
  if (!(found instanceof FlattenError)) return found;
  return { error: found, hidden: found.code === 'NOT_FOUND', ...(platform && { platform }) };
}

/** Where the index says no platform, the config may; what is wrong with it is said when the image is opened. */
function configPlatform(blobs: Blobs, { config }: Manifest): Platform | undefined {
  const platform = attempt(() => readPlatform(blobs.json(config, 'config')));
  return platform instanceof FlattenError ? undefined : platform;
}

/** What is no image by its descriptor alone. */
export function otherThanImage(descriptor: Descriptor): NoImage | undefined {
  const { digest, mediaType } = descriptor;
  if (isAttestation(descriptor)) return noImage(digest, 'an attestation');
  const isOne = mediaType === '' || isIndexType(mediaType) || isManifestType(mediaType);
  return isOne ? undefined : noImage(digest, artifact(mediaType));
}

/** What something is that is no image, by its kind. */
export function artifact(kind: string): string {
  return `an artifact (${kind})`;
}

/** Passed over, and refused where it is what is meant. */
export interface NoImage {
  readonly hidden: true;
  readonly error: FlattenError;
}

export function noImage(digest: Digest, kind: string): NoImage {
  return { hidden: true, error: new FlattenError('UNSUPPORTED', `${digest}: is ${shown(kind)}, no image`) };
}

function attempt<T>(step: () => T): T | FlattenError {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof FlattenError) || error.code === 'LIMIT') throw error;
    return error;
  }
}
