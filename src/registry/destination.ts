import { FlattenError, throwIfAborted } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { formatRegistryReference, type RegistryReference } from '../oci/registry-reference.js';
import { Client, type ClientMeans, type Onward } from './client.js';
import { pushRefused } from './push-refusal.js';
import { begin, end, type Uploadable, upload } from './upload.js';

/** A name in a registry, without tag and digest. */
export type RepositoryName = Pick<RegistryReference, 'host' | 'repository'>;

/** How a blob is put into a registry. */
export interface PutOptions {
  /** Where the blob is already, if that is known: in the same registry it need not be sent. */
  readonly from?: RepositoryName | undefined;
  readonly signal: AbortSignal;
}

/** The repository that an image is pushed to (distribution specification, "push"). Close it to end its connections. */
export class Destination {
  readonly reference: RegistryReference;
  readonly #client: Client;
  readonly #means: ClientMeans;

  constructor(reference: RegistryReference, means: ClientMeans) {
    this.reference = reference;
    this.#means = means;
    this.#client = new Client(reference.host, `repository:${reference.repository}:pull,push`, means);
  }

  /** Throws why nothing may be pushed here, where that is so: an upload is begun for that, and ended. */
  async refuseDenied(signal: AbortSignal): Promise<void> {
    await end(await begin(this.#pushing(signal)), { client: this.#client });
  }

  /** Puts a blob there, unless it is there, and says what that took. */
  async putBlob(blob: Uploadable, { from, signal }: PutOptions): Promise<'there' | 'mounted' | 'sent'> {
    const isThere = () => this.#has(blob.digest, signal);
    if (await isThere()) return 'there';
    const mounted = from && (await this.#mount(blob.digest, from, signal));
    if (mounted === 'mounted') return mounted;
    const { waiting } = this.#means;
    await upload(blob, { ...this.#pushing(signal), waiting, isThere }, mounted);
    return 'sent';
  }

  /** Puts a manifest or an index there, under a tag or its digest. All that it names must be there. */
  async putManifest(
    name: string,
    { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Buffer },
    signal: AbortSignal,
  ): Promise<void> {
    const { host, repository } = this.reference;
    const path = `/v2/${repository}/manifests/${name}`;
    const headers = { 'content-type': mediaType };
    const answer = await this.#client.ask(path, {
      method: 'PUT',
      headers,
      body: bytes,
      isSlow: true,
      signal,
    });
    if (![200, 201, 202, 204].includes(answer.status)) {
      const { credential } = this.#client;
      throw await pushRefused(answer, { host, what: this.#name, credential });
    }
    answer.body.destroy();
  }

  /** Ends all connections. */
  close(): Promise<void> {
    return this.#means.connections.close();
  }

  /** Who may push and not pull is told nothing here; then it is sent. */
  async #has(digest: Digest, signal: AbortSignal): Promise<boolean> {
    const path = `/v2/${this.reference.repository}/blobs/${digest}`;
    const answer = await this.#client.ask(path, { method: 'HEAD', signal });
    answer.body.destroy();
    return answer.status === 200;
  }

  /** Takes a blob over from another repository; else gives the upload that the registry has begun in place of that, where it has. */
  async #mount(
    digest: Digest,
    from: RepositoryName,
    signal: AbortSignal,
  ): Promise<'mounted' | Onward | undefined> {
    const { host, repository } = this.reference;
    if (from.host !== host || from.repository === repository) return undefined;
    const scope = `repository:${from.repository}:pull`;
    this.#client.want(scope, true);
    try {
      const query = new URLSearchParams({ mount: digest, from: from.repository });
      const path = `${this.#uploads}?${query}`;
      const headers = { 'content-length': '0' };
      const answer = await this.#client.ask(path, { method: 'POST', headers, signal });
      answer.body.destroy();
      if (answer.status === 201) return 'mounted';
      return answer.status === 202 ? await this.#client.onward(answer, 'an upload') : undefined;
    } catch (error) {
      throwIfAborted(signal);
      // A server of tokens that gives none for both repositories: the blob is sent.
      if (!(error instanceof FlattenError) || error.code !== 'DENIED') throw error;
      this.#client.want(scope, false);
      return undefined;
    }
  }

  get #uploads(): string {
    return `/v2/${this.reference.repository}/blobs/uploads/`;
  }

  get #name(): string {
    return formatRegistryReference(this.reference);
  }

  #pushing(signal: AbortSignal) {
    return { client: this.#client, path: this.#uploads, what: this.#name, signal };
  }
}
