import type { Dispatcher } from 'undici';
import { FlattenError } from '../errors.js';
import { showUrl, type WebAddress } from './address.js';
import { isPrivateHost, isPrivateName, publicLookup } from './private.js';

/** An answer whose body is read or dumped by who asked. */
export type Answer = Dispatcher.ResponseData;

const REDIRECTS = new Set([301, 302, 303, 307, 308]);
const MAX_REDIRECTS = 10;
const PATIENCE_MS = 60_000;
const CONNECT_MS = 15_000;
/** Bytes of an answer's headers. */
const HEADERS = 32 * 1024;

/** Asks for one file, as often as it takes; close it in the end. */
export class WebFile {
  readonly #address: WebAddress;
  readonly #authorization: string | undefined;
  #agents: { readonly any: Dispatcher; readonly onlyPublic: Dispatcher } | undefined;
  #isPrivate: boolean | undefined;

  constructor(address: WebAddress) {
    this.#address = address;
    const { username, password } = address.url;
    const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    if (username || password) this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  }

  /**
   * Sends a GET and follows redirects: a few, never from https to http, never to a private address unless the file's own host is private,
   * and the user's password goes to its own origin only.
   */
  async get(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const { url: first } = this.#address;
    let url = bare(first);
    let isOwn = true;
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      // Once it has left its origin, the password is not sent any more, not even back there.
      const authorization = isOwn && this.#authorization ? { authorization: this.#authorization } : {};
      const { request } = await import('undici');
      const answer = await request(url, {
        headers: { 'user-agent': 'flatten', 'accept-encoding': 'identity', ...headers, ...authorization },
        dispatcher: await this.#agent(url),
        headersTimeout: PATIENCE_MS,
        bodyTimeout: PATIENCE_MS,
        signal,
      });
      if (!REDIRECTS.has(answer.statusCode)) return answer;
      await answer.body.dump({ limit: 64 * 1024 }).catch(() => {});
      url = await this.#redirected(url, answer.headers.location);
      isOwn &&= url.origin === first.origin;
    }
    throw new FlattenError('IO', `${this.#address.shown}: is redirected more than ${MAX_REDIRECTS} times`);
  }

  async close(): Promise<void> {
    const { any, onlyPublic } = this.#agents ?? {};
    await Promise.all([any?.destroy(), onlyPublic?.destroy()]);
  }

  async #redirected(from: URL, location: string | string[] | undefined): Promise<URL> {
    const { shown } = this.#address;
    let to: URL;
    try {
      if (typeof location !== 'string') throw new TypeError('no location');
      to = bare(new URL(location, from));
    } catch (cause) {
      throw new FlattenError('IO', `${shown}: is redirected to nowhere`, { cause });
    }
    const isAllowed = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
    if (!isAllowed)
      throw new FlattenError('IO', `${shown}: is redirected to ${showUrl(to)}, which is no https`);
    if (isPrivateName(to.hostname) && !(await this.#hostIsPrivate()))
      throw new FlattenError('IO', `${shown}: is redirected to a private address, ${showUrl(to)}`);
    return to;
  }

  async #hostIsPrivate(): Promise<boolean> {
    this.#isPrivate ??= await isPrivateHost(this.#address.url.hostname);
    return this.#isPrivate;
  }

  /** The file's own origin may be anywhere; all others only where it is. */
  async #agent(url: URL): Promise<Dispatcher> {
    this.#agents ??= await agents();
    const isFree = url.origin === this.#address.url.origin || (await this.#hostIsPrivate());
    return isFree ? this.#agents.any : this.#agents.onlyPublic;
  }
}

/** HTTPS_PROXY and its like hold for both. One connection a host is enough for one file. */
async function agents() {
  const { EnvHttpProxyAgent } = await import('undici');
  const options = { connections: 1, maxHeaderSize: HEADERS };
  return {
    any: new EnvHttpProxyAgent({ ...options, connect: { timeout: CONNECT_MS } }),
    onlyPublic: new EnvHttpProxyAgent({
      ...options,
      connect: { timeout: CONNECT_MS, lookup: publicLookup },
    }),
  };
}

/** Without user and password, which go into a header. */
function bare(url: URL): URL {
  const copy = new URL(url);
  copy.username = '';
  copy.password = '';
  return copy;
}
