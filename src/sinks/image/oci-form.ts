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
import type { Store } from './store.js';

/** An OCI layout (image-layout.md): blobs by digest and an `index.json`. Several images become one index of platforms. */
export class OciForm implements ImageForm {
  readonly #store: Store;
  readonly #tag: string | undefined;
  readonly #manifests: Pointer[] = [];

  constructor(store: Store, tag: string | undefined) {
    this.#store = store;
    this.#tag = tag;
  }

  async layer({ blob, digest }: WrittenLayer): Promise<void> {
    await blob.name(blobPath(digest));
  }

  async image({ config, layers, annotations }: SquashedImage): Promise<void> {
    const stored = await this.#blob(CONFIG_TYPE, config.toText());
    const written = await this.#blob(MANIFEST_TYPE, manifest(stored, layers.map(pointerTo), annotations));
    this.#manifests.push({ ...written, platform: platformOf(config) });
  }

  async finish(): Promise<Digest> {
    const manifests = this.#manifests;
    const top = manifests.length === 1 ? manifests[0]! : await this.#blob(INDEX_TYPE, imageIndex(manifests));
    const named = this.#tag && { annotations: { 'org.opencontainers.image.ref.name': this.#tag } };
    await this.#store.file('index.json', jsonBytes(imageIndex([{ ...top, ...named }])));
    await this.#store.file('oci-layout', jsonBytes({ imageLayoutVersion: '1.0.0' }));
    return top.digest;
  }

  async #blob(mediaType: string, value: unknown): Promise<Pointer> {
    const bytes = jsonBytes(value);
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    await this.#store.file(blobPath(digest), bytes);
    return { mediaType, digest, size: bytes.length };
  }
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

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}
