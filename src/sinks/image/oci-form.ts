import { createHash } from 'node:crypto';
import { FlattenError } from '../../errors.js';
import type { Digest } from '../../oci/digest.js';
import {
  CONFIG_TYPE,
  INDEX_TYPE,
  imageIndex,
  jsonBytes,
  layerType,
  MANIFEST_TYPE,
  manifest,
  type Pointer,
  platformOf,
} from '../../oci/write.js';
import type { ImageForm, SquashedImage, WrittenLayer } from './form.js';

/** What an OCI image consists of, whatever it is put in: a layout, a registry. */
export interface OciPlace {
  layer(layer: WrittenLayer): Promise<void>;
  config(config: Pointer, bytes: Buffer): Promise<void>;
  /** A manifest, or the index of those of several platforms, once all that it names is there. */
  manifest(manifest: Pointer, bytes: Buffer): Promise<void>;
  /** The last manifest or index, which the image goes by. */
  finish(top: Pointer): Promise<void>;
}

/** An image as the OCI specification has it (manifest.md, image-index.md). Several images become one index of platforms. */
export class OciForm implements ImageForm {
  readonly #place: OciPlace;
  readonly #manifests: Pointer[] = [];

  constructor(place: OciPlace) {
    this.#place = place;
  }

  layer(layer: WrittenLayer): Promise<void> {
    return this.#place.layer(layer);
  }

  async image({ config, layers, annotations }: SquashedImage): Promise<void> {
    const [stored, configBytes] = pointed(CONFIG_TYPE, config.toText());
    const [written, bytes] = pointed(MANIFEST_TYPE, manifest(stored, layers.map(pointerTo), annotations));
    await this.#place.config(stored, configBytes);
    await this.#place.manifest(written, bytes);
    this.#manifests.push({ ...written, platform: platformOf(config) });
  }

  async finish(): Promise<Digest> {
    const top = this.#manifests.length === 1 ? this.#manifests[0]! : await this.#index();
    await this.#place.finish(top);
    return top.digest;
  }

  async #index(): Promise<Pointer> {
    const [index, bytes] = pointed(INDEX_TYPE, imageIndex(this.#manifests));
    await this.#place.manifest(index, bytes);
    return index;
  }
}

function pointed(mediaType: string, value: unknown): [Pointer, Buffer] {
  const bytes = jsonBytes(value);
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return [{ mediaType, digest, size: bytes.length }, bytes];
}

function pointerTo({ compression, digest, blob, label }: WrittenLayer): Pointer {
  const mediaType = layerType(compression);
  if (mediaType !== undefined) return { mediaType, digest, size: blob.size };
  throw new FlattenError(
    'UNSUPPORTED',
    `${label}: is compressed by ${compression}, for which OCI has no name`,
    {
      hint: 'flatten this layer too, or write docker-archive:FILE',
    },
  );
}
