import { FlattenError } from '../errors.js';
import type { Layer } from '../layer/layer.js';
import type { ImageConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import type { Digest } from '../oci/digest.js';
import type { Manifest } from '../oci/manifest.js';
import { isEncryptedType, isLayerType } from '../oci/media-type.js';
import type { Platform } from '../oci/platform.js';
import { shown, shownLayers } from '../oci/shown.js';
import type { OpenedImage } from './image.js';
import { layerName } from './layer-name.js';

/** What an image is made of, read and checked. */
export interface ImageParts {
  readonly name: string;
  /** Of the manifest. */
  readonly digest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig & { readonly diffIDs: readonly Digest[] };
  /** Of the index; absent: that of the config. */
  readonly platform?: Platform;
}

/** A layer as the manifest and the config have it. */
export interface DescribedLayer {
  /** As errors and progress have it. */
  readonly name: string;
  readonly descriptor: Descriptor;
  readonly digest: Digest;
  readonly diffID: Digest;
}

/** Makes an image of a manifest and its config; `open` makes each layer. What is no layer, or encrypted, is `UNSUPPORTED`. */
export function ociImage(parts: ImageParts, open: (layer: DescribedLayer) => Layer): OpenedImage {
  const { name, digest, manifest, config, platform = config.platform } = parts;
  const { layers, annotations } = manifest;
  const { diffIDs } = config;
  if (diffIDs.length !== layers.length) {
    throw new FlattenError(
      'BAD_IMAGE',
      `manifest ${digest}: lists ${shownLayers(layers.length)}, its config ${shownLayers(diffIDs.length)}`,
    );
  }
  return {
    name,
    kind: 'oci',
    digest,
    ...(platform && { platform }),
    config,
    annotations,
    layers: layers.map((descriptor, place) => {
      const called = layerName(place, layers.length, descriptor.digest);
      try {
        refuseOther(descriptor);
        return open({ name: called, descriptor, digest: descriptor.digest, diffID: diffIDs[place]! });
      } catch (error) {
        throw error instanceof FlattenError ? error.inLayer(called) : error;
      }
    }),
  };
}

function refuseOther({ mediaType }: Descriptor): void {
  if (isEncryptedType(mediaType)) {
    throw new FlattenError('UNSUPPORTED', `is encrypted (${shown(mediaType)})`, {
      hint: 'decrypt the image first: skopeo copy --decryption-key KEY',
    });
  }
  if (!isLayerType(mediaType)) throw new FlattenError('UNSUPPORTED', `is no tar but ${shown(mediaType)}`);
}
