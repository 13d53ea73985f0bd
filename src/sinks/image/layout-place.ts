import type { Digest } from '../../oci/digest.js';
import { imageIndex, jsonBytes, type Pointer } from '../../oci/write.js';
import type { WrittenLayer } from './form.js';
import type { OciPlace } from './oci-form.js';
import type { Store } from './store.js';

/** An OCI layout (image-layout.md): blobs by digest, and an `index.json` with the image's tag. */
export class LayoutPlace implements OciPlace {
  readonly #store: Store;
  readonly #tag: string | undefined;

  constructor(store: Store, tag: string | undefined) {
    this.#store = store;
    this.#tag = tag;
  }

  async layer({ blob, digest }: WrittenLayer): Promise<void> {
    await blob.name(blobPath(digest));
  }

  async config({ digest }: Pointer, bytes: Buffer): Promise<void> {
    await this.#store.file(blobPath(digest), bytes);
  }

  async manifest({ digest }: Pointer, bytes: Buffer): Promise<void> {
    await this.#store.file(blobPath(digest), bytes);
  }

  async finish(top: Pointer): Promise<void> {
    const named = this.#tag && { annotations: { 'org.opencontainers.image.ref.name': this.#tag } };
    await this.#store.file('index.json', jsonBytes(imageIndex([{ ...top, ...named }])));
    await this.#store.file('oci-layout', jsonBytes({ imageLayoutVersion: '1.0.0' }));
  }
}

function blobPath(digest: Digest): string {
  return `blobs/${digest.replace(':', '/')}`;
}
