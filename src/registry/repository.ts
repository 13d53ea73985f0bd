import { createHash } from 'node:crypto';
import { FlattenError, throwIfAborted } from '../errors.js';
import { algorithm, type Digest, isDigest, short } from '../oci/digest.js';
import { parseJson } from '../oci/json.js';
import { formatRegistryReference, type RegistryReference } from '../oci/registry-reference.js';
import { type AskBlob, blobFrom, foreignBlob, type WantedBlob } from './blob-from.js';
import { Client, type ClientMeans, type Led } from './client.js';
import type { Answer } from './exchange.js';
import { RangeBuffers } from './ranges.js';
import { readRefusal, refused } from './refusal.js';
import { smallBody } from './small-body.js';
import { tagHint } from './unknown-tag.js';

/** Bytes of a manifest: twice what registries take. */
const MANIFEST_LIMIT = 8 * 2 ** 20;

/**
 * All kinds of manifest in one header: registries that are asked for less make another one up. Docker's first schema is there to
 * be told from a missing image, and refused by its name.
 */
const ACCEPT = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws;q=0.1',
  'application/vnd.docker.distribution.manifest.v1+json;q=0.1',
].join(', ');

/** A manifest or an index, whose bytes have the digest. */
export interface FetchedManifest {
  readonly digest: Digest;
  /** As the answer says; empty where it does not. */
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** How a blob is fetched. */
export interface FetchOptions {
  /** The first byte that is wanted. Default 0. */
  readonly offset?: number;
  readonly signal: AbortSignal;
}

/** The images of one name in a registry (distribution specification). Close it to end its connections. */
export class Repository {
  readonly reference: RegistryReference;
  readonly #client: Client;
  readonly #means: ClientMeans;
  readonly #buffers = new RangeBuffers();

  constructor(reference: RegistryReference, means: ClientMeans) {
    this.reference = reference;
    this.#means = means;
    this.#client = new Client(reference.host, `repository:${reference.repository}:pull`, means);
  }

  /** Fetches a manifest by tag or digest. By digest, the bytes must have it; by tag, their digest is what counts, whatever a header says. */
  async manifest(wanted: string, signal: AbortSignal): Promise<FetchedManifest> {
    const answer = await this.#ask(`manifests/${wanted}`, { signal, headers: { accept: ACCEPT } }, () =>
      this.#named(wanted),
    ).catch(async (error: unknown) => {
      if (!(error instanceof FlattenError) || error.code !== 'NOT_FOUND' || wanted.includes(':')) throw error;
      const hint = await this.#tags(signal).then((tags) => tags && tagHint(wanted, tags));
      throw new FlattenError('NOT_FOUND', error.what, { cause: error, ...(hint && { hint }) });
    });
    const bytes = await smallBody(answer.body, MANIFEST_LIMIT, { what: `manifest ${wanted}` });
    const isDigest = wanted.includes(':');
    const kind = isDigest ? algorithm(wanted as Digest) : 'sha256';
    const digest: Digest = `${kind}:${createHash(kind).update(bytes).digest('hex')}`;
    if (isDigest && digest !== wanted)
      throw new FlattenError(
        'DIGEST_MISMATCH',
        `manifest ${wanted}: what the registry sent has the digest ${digest}`,
      );
    const type = answer.headers['content-type'];
    const mediaType = typeof type === 'string' ? type.split(';', 1)[0]!.trim() : '';
    return { digest, mediaType, bytes };
  }

  /** The digest that a tag has, and the type of what it names; undefined where the registry does not say, or has no such tag. */
  async tagged(
    tag: string,
    signal: AbortSignal,
  ): Promise<Pick<FetchedManifest, 'digest' | 'mediaType'> | undefined> {
    const path = `/v2/${this.reference.repository}/manifests/${tag}`;
    const answer = await this.#client.ask(path, { method: 'HEAD', signal, headers: { accept: ACCEPT } });
    answer.body.destroy();
    const { 'docker-content-digest': digest, 'content-type': type } = answer.headers;
    if (answer.status !== 200 || !isDigest(digest)) return undefined;
    return { digest, mediaType: typeof type === 'string' ? type.split(';', 1)[0]!.trim() : '' };
  }

  /**
   * Fetches a blob, from an offset on: resolves when it begins to come. The stream has just the bytes that the descriptor says, or fails; a
   * connection that is cut is made again. Whether the digest is right is for whoever has all bytes to say. Large blobs come by
   * several connections; a chunk is gone when the next is asked for. One that the registry does not have comes from the addresses of its descriptor, where that is allowed.
   */
  fetchBlob(
    descriptor: WantedBlob,
    { offset = 0, signal }: FetchOptions,
  ): Promise<AsyncIterable<Uint8Array>> {
    const led: Led = {};
    const what = () => `blob ${short(descriptor.digest)}`;
    const ask: AskBlob = (request) => this.#ask(`blobs/${descriptor.digest}`, request, what, led);
    const wanted = { descriptor, offset, signal, waiting: this.#means.waiting, buffers: this.#buffers };
    return blobFrom(ask, wanted).catch((error: unknown) => {
      const isElsewhere = error instanceof FlattenError && error.code === 'NOT_FOUND';
      if (!isElsewhere || !descriptor.urls?.length) throw error;
      return foreignBlob(descriptor.urls, wanted, this.#client, this.#means.allowForeign);
    });
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#means.connections.close();
  }

  /** The tags that there are, or the first of very many; undefined where the registry does not tell. */
  async #tags(signal: AbortSignal): Promise<readonly string[] | undefined> {
    try {
      const answer = await this.#ask('tags/list', { signal }, () => 'the tags');
      const bytes = await smallBody(answer.body, MANIFEST_LIMIT, { what: 'the tags' });
      return parseJson(bytes, 'the tags')
        .get('tags')
        .optionalItems()
        .map((tag) => tag.string());
    } catch {
      throwIfAborted(signal);
      return undefined;
    }
  }

  async #ask(
    path: string,
    request: { readonly signal: AbortSignal; readonly headers?: Readonly<Record<string, string>> },
    what: () => string,
    led?: Led,
  ): Promise<Answer> {
    const answer = await this.#client.ask(`/v2/${this.reference.repository}/${path}`, request, led);
    if (answer.status === 200 || answer.status === 206) return answer;
    const { host, credential } = this.#client;
    throw refused(await readRefusal(answer), { host, what: what(), credential });
  }

  #named(wanted: string): string {
    const { host, repository } = this.reference;
    const isDigest = wanted.includes(':');
    return formatRegistryReference({
      host,
      repository,
      ...(isDigest ? { digest: wanted as Digest } : { tag: wanted }),
    });
  }
}
