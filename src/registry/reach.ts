import { lookup } from 'node:dns';
import { lookup as lookUp } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { FlattenError } from '../errors.js';
import { bare, isLoopback, type Privacy, privacyOf } from '../host/private-address.js';
import { shown } from '../oci/shown.js';

/**
 * Where a registry may lead whoever asks it: by a redirect, or to a server of tokens. A registry on the internet may not
 * lead into the network that flatten runs in (server-side request forgery); one that is there itself may stay there. Nothing
 * leads from https to plain http.
 */
export class Reach {
  readonly #registry: URL;
  #own: Promise<ReadonlySet<Privacy>> | undefined;

  /** `registry` is where the registry itself is. */
  constructor(registry: URL) {
    this.#registry = registry;
  }

  /** Throws `UNSUPPORTED` where the registry may not lead to this address. `what` leads there: `a redirect`. */
  async check(url: URL, what: string): Promise<void> {
    if (url.origin === this.#registry.origin) return;
    const isPlain = url.protocol === 'http:' && this.#registry.protocol === 'http:';
    if (url.protocol !== 'https:' && !isPlain) throw this.#refusal(url, what, 'is not https');
    if (url.username !== '' || url.password !== '') throw this.#refusal(url, what, 'has a password in it');
    const privacy = isLoopback(url.hostname) ? 'loopback' : privacyOf(bare(url.hostname));
    if (privacy !== undefined && !(await this.#allowed()).has(privacy))
      throw this.#refusal(url, what, `is a ${privacy} address`);
  }

  /** The same for names, once their addresses are known: for the sockets that are opened. */
  readonly lookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return callback(error, '', 0);
      void this.#allowed().then((allowed) => {
        const first = addresses
          .map(({ address }) => privacyOf(address))
          .find((kind) => kind && !allowed.has(kind));
        const refused = first && new Error(`${hostname} has a ${first} address, and the registry has none`);
        if (refused) return callback(refused, '', 0);
        if (options.all) return callback(null, addresses);
        return callback(null, addresses[0]!.address, addresses[0]!.family);
      });
    });
  };

  /** The kinds of private addresses that the registry has itself; one on this machine may lead to any. */
  #allowed(): Promise<ReadonlySet<Privacy>> {
    this.#own ??= addressesOf(bare(this.#registry.hostname)).then((addresses) => {
      const kinds = new Set(addresses.flatMap((address) => privacyOf(address) ?? []));
      return kinds.has('loopback') ? new Set<Privacy>(['loopback', 'link-local', 'private']) : kinds;
    });
    return this.#own;
  }

  #refusal(url: URL, what: string, why: string): FlattenError {
    const from = this.#registry.host;
    return new FlattenError(
      'DENIED',
      `${from}: ${what} leads to ${shown(url.origin)}, which ${why}: it is not followed`,
    );
  }
}

/** None where nobody knows the name here: a proxy may. */
async function addressesOf(host: string): Promise<string[]> {
  if (privacyOf(host) !== undefined) return [host];
  if (isLoopback(host)) return ['127.0.0.1'];
  return (await lookUp(host, { all: true }).catch(() => [])).map(({ address }) => address);
}
