import { rootCertificates } from 'node:tls';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { bare, isLoopback } from '../host/private-address.js';
import { proxyFor } from './proxy.js';
import type { Reach } from './reach.js';
import type { Trust } from './trust.js';

/** Connections to one server at a time. Registries and what they store blobs in serve each at a rate of its own. */
const CONNECTIONS = 8;

/** Milliseconds until a connection is made, until an answer begins, and between two pieces of it. */
const CONNECT_TIMEOUT = 15_000;
const ANSWER_TIMEOUT = 60_000;
const PIECE_TIMEOUT = 60_000;

/** Pools of connections by origin, through the proxies that the environment names; with certificates for each host. */
export class Connections {
  readonly #pools = new Map<string, Dispatcher>();
  readonly #trust: (host: string) => Trust;

  /** `trust` tells which certificates count for a host, with its port where it has one. */
  constructor(trust: (host: string) => Trust) {
    this.#trust = trust;
  }

  /** The connections to the server of a URL. `reach` limits its addresses; absent for the registry itself. */
  to(url: URL, reach?: Reach): Dispatcher {
    const key = `${url.origin} ${reach === undefined}`;
    const known = this.#pools.get(key) ?? this.#open(url, reach);
    this.#pools.set(key, known);
    return known;
  }

  #open({ origin, protocol, host, hostname }: URL, reach: Reach | undefined): Dispatcher {
    const { ca, cert, key, isUnverified = false } = this.#trust(host);
    const tls = {
      ...(ca && { ca: [...rootCertificates, ...ca] }),
      ...(cert && key && { cert, key }),
      ...(isUnverified && { rejectUnauthorized: false }),
    };
    const options = {
      connections: CONNECTIONS,
      headersTimeout: ANSWER_TIMEOUT,
      bodyTimeout: PIECE_TIMEOUT,
    };
    const proxy = isLoopback(hostname) ? undefined : proxyFor(protocol, host);
    if (proxy !== undefined)
      return new ProxyAgent({
        ...options,
        uri: proxy,
        requestTls: { ...tls, servername: bare(hostname) },
        proxyTunnel: protocol === 'https:', // proxies forward plain http, and mostly refuse to tunnel it
      });
    const connect = { ...tls, timeout: CONNECT_TIMEOUT, ...(reach && { lookup: reach.lookup }) };
    return new Pool(origin, { ...options, connect });
  }

  /** Ends all connections, those in use too. */
  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }
}
