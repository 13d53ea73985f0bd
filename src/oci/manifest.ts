import { FlattenError } from '../errors.js';
import { type Descriptor, readAnnotations, readDescriptor } from './descriptor.js';
import type { Json } from './json.js';
import { isConfigType, isLayerType } from './media-type.js';

/** An image manifest: OCI (manifest.md) or Docker schema 2, which agree in all that counts here. */
export interface Manifest {
  readonly config: Descriptor;
  /** Base first. */
  readonly layers: readonly Descriptor[];
  readonly artifactType?: string;
  readonly annotations: ReadonlyMap<string, string>;
}

/** Checks a manifest. One that could also be read as an index is refused: two readers might see two images in it. */
export function readManifest(json: Json): Manifest {
  if (!json.get('manifests').missing) {
    throw new FlattenError('BAD_IMAGE', `${json.at}: has both layers and manifests`);
  }
  if (json.get('schemaVersion').value === 1) {
    throw new FlattenError(
      'UNSUPPORTED',
      `${json.at}: is of Docker's schema 1, which no archive holds whole`,
    );
  }
  const artifactType = json.get('artifactType').optionalString();
  return {
    config: readDescriptor(json.get('config')),
    layers: json.get('layers').optionalItems().map(readDescriptor),
    annotations: readAnnotations(json.get('annotations')),
    ...(artifactType && { artifactType }),
  };
}

/**
 * What a manifest describes if it is no image: signatures, charts, attestations and the like travel as manifests too.
 * Undefined for an image.
 */
export function artifactKind(manifest: Manifest): string | undefined {
  const { config, layers, artifactType } = manifest;
  if (!isConfigType(config.mediaType)) return artifactType ?? (config.mediaType || 'no media type');
  if (layers.length === 0 || layers.some(({ mediaType }) => isLayerType(mediaType))) return undefined;
  return artifactType ?? layers[0]!.mediaType;
}
