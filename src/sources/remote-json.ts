import { createHash } from 'node:crypto';
import { FlattenError } from '../errors.js';
import type { Descriptor } from '../oci/descriptor.js';
import { algorithm } from '../oci/digest.js';
import type { Json } from '../oci/json.js';
import type { FetchedManifest } from '../registry/repository.js';
import type { BlobFetcher } from './fetched-layer.js';
import { JsonBounds } from './json-bounds.js';

/** Where manifests and blobs come from. */
export interface ManifestFetcher extends BlobFetcher {
  manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest>;
}

/** The JSON of an image in a registry: fetched once, verified, and bounded as that of files is. */
export class RemoteJson {
  readonly #fetcher: ManifestFetcher;
  readonly #signal: AbortSignal;
  readonly #bounds = new JsonBounds();
  readonly #known = new Map<string, Json>();

  constructor(fetcher: ManifestFetcher, signal: AbortSignal) {
    this.#fetcher = fetcher;
    this.#signal = signal;
  }

  /** Reads a manifest that has been fetched. */
  read({ digest, bytes }: FetchedManifest): Json {
    this.#bounds.take(bytes.length, 'manifest', digest);
    const json = this.#bounds.parse(bytes, 'manifest');
    this.#known.set(digest, json);
    return json;
  }

  /** Fetches a manifest or an index, whose size must be that of its descriptor. */
  async manifest({ digest, size }: Descriptor): Promise<Json> {
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    const fetched = await this.#fetcher.manifest(digest, this.#signal);
    if (fetched.bytes.length !== size) throw otherSize(`manifest ${digest}`, fetched.bytes.length, size);
    return this.read(fetched);
  }

  /** Fetches a blob of JSON, or takes the one that its descriptor carries. `what` names it: `config`. */
  async blob(descriptor: Descriptor, what: string): Promise<Json> {
    const { digest, size, data } = descriptor;
    const known = this.#known.get(digest);
    if (known !== undefined) return known;
    this.#bounds.take(size, `${what} ${digest}`, digest);
    const bytes = data ?? (await this.#fetch(descriptor));
    if (bytes.length !== size) throw otherSize(`blob ${digest}`, bytes.length, size);
    const kind = algorithm(digest);
    const actual = `${kind}:${createHash(kind).update(bytes).digest('hex')}`;
    if (actual !== digest)
      throw new FlattenError('DIGEST_MISMATCH', `blob ${digest}: has the digest ${actual}`);
    const json = this.#bounds.parse(bytes, what);
    this.#known.set(digest, json);
    return json;
  }

  async #fetch(descriptor: Descriptor): Promise<Buffer> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of await this.#fetcher.fetchBlob(descriptor, { signal: this.#signal }))
      chunks.push(chunk);
    return Buffer.concat(chunks);
  }
}

function otherSize(what: string, actual: number, size: number): FlattenError {
  return new FlattenError('DIGEST_MISMATCH', `${what}: has ${actual} bytes, its descriptor says ${size}`);
}
