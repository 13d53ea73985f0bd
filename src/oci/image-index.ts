import { FlattenError } from '../errors.js';
import type { Descriptor } from './descriptor.js';
import type { Json } from './json.js';

/**
 * Checks an image index (image-index.md) or Docker manifest list, and returns its descriptors, each still to be
 * checked by itself: one that is broken does not take the others with it.
 */
export function readIndex(json: Json): readonly Json[] {
  if (!json.get('layers').missing) {
    throw new FlattenError('BAD_IMAGE', `${json.at}: has both layers and manifests`);
  }
  const manifests = json.get('manifests');
  // Go writes an empty list as null.
  return manifests.value === null ? [] : manifests.items();
}

/** Whether a manifest is an attestation about another one: BuildKit's, marked by annotation or by an unknown platform. */
export function isAttestation({ annotations, platform }: Descriptor): boolean {
  if (annotations.has('vnd.docker.reference.type')) return true;
  return platform?.os === 'unknown' && platform.architecture === 'unknown';
}

/** The names an index gives a manifest: containerd's full one first, then the tag or name of the specification. */
export function namesOf({ annotations }: Descriptor): readonly string[] {
  const keys = ['io.containerd.image.name', 'org.opencontainers.image.ref.name'];
  return [...new Set(keys.map((key) => annotations.get(key)).filter((name) => !!name))] as string[];
}
