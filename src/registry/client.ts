import { FlattenError } from '../errors.js';
import { isLoopback } from '../host/private-address.js';
import { shown } from '../oci/shown.js';
import { parseChallenges } from './challenge.js';
import { brokenConnection, isOfCertificate } from './connection-trouble.js';
import type { Connections } from './connections.js';
import type { Credential } from './credential.js';
import { type Answer, exchange } from './exchange.js';
import { Notices } from './notices.js';
import type { Waiting } from './patience.js';
import { Reach } from './reach.js';
import { Session } from './session.js';

/** How often one request may be led elsewhere. */
const REDIRECTS = 10;

/** What a client of one repository works with. */
export interface ClientMeans {
  readonly connections: Connections;
  readonly waiting: Waiting;
  readonly credential?: Credential | undefined;
  /** Plain http is fine, and any certificate: the user has said so of this host. */
  readonly isInsecure?: boolean;
  /** Layers that the registry does not have may come from the addresses that it names. */
  readonly allowForeign?: boolean;
}

/** A request to a registry. */
export interface Request {
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** Where a redirect has led who asks for one thing: for those who ask for more of it. */
export interface Led {
  url?: URL | undefined;
}

/** Where a registry is, and where it may lead. */
interface Found {
  readonly base: URL;
  readonly reach: Reach;
}

/** Asks one registry about one repository: finds out where it is and how it is logged in to, and follows where it leads. */
export class Client {
  /** As people call it. */
  readonly host: string;
  readonly credential: Credential | undefined;
  readonly #means: ClientMeans;
  readonly #session: Session;
  readonly #notices: Notices;
  /** Servers that a redirect led to, which know nobody. */
  readonly #strangers = new Map<string, Session>();
  #place: Promise<Found> | undefined;

  constructor(host: string, scope: string, means: ClientMeans) {
    this.host = host;
    this.#means = means;
    this.credential = means.credential;
    this.#notices = new Notices(host, means.waiting.report);
    this.#session = new Session(host, [scope], means.credential);
  }

  /**
   * Asks for a path below the registry's own address: `/v2/NAME/tags/list`. Gives the answer, whatever it is. With `led`, the server that a
   * redirect led to is asked again, until it refuses: what it leads to may be signed for some minutes.
   */
  async ask(path: string, request: Request, led: Led = {}): Promise<Answer> {
    const place = await this.#find(request.signal);
    const { url } = led;
    if (url !== undefined) {
      const answer = await this.#follow(url, true, place, request);
      if (answer.status < 400) return answer;
      answer.body.destroy();
      if (led.url === url) led.url = undefined;
    }
    const answer = await this.#follow(new URL(path, place.base), false, place, request);
    led.url = answer.url.origin === place.base.origin ? undefined : answer.url;
    return answer;
  }

  /** Asks an address that the registry names for a layer, as somebody whom nobody knows. Throws `DENIED` for one that is not https or where the registry may not lead. */
  async askForeign(address: string, request: Request): Promise<Answer> {
    const place = await this.#find(request.signal);
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url === undefined) throw this.#lost(`names ${shown(address)} for a layer, which is no address`);
    if (url.protocol !== 'https:')
      throw new FlattenError(
        'DENIED',
        `${this.host}: names ${shown(url.origin)} for a layer, which is not https`,
      );
    await place.reach.check(url, 'a foreign layer');
    return this.#follow(url, true, place, request);
  }

  /** Follows redirects. `isForeign`: the registry's credentials are not shown. */
  async #follow(first: URL, isForeign: boolean, { base, reach }: Found, request: Request): Promise<Answer> {
    let url = first;
    let isAway = isForeign; // from there on the registry's credentials are never shown again, also where it leads back
    for (let count = 0; count <= REDIRECTS; count++) {
      const answer = await this.#authorized(url, isAway, reach, request);
      const { location } = answer.headers;
      if (![301, 302, 303, 307, 308].includes(answer.status) || typeof location !== 'string') return answer;
      answer.body.destroy();
      if (!URL.canParse(location, url.href))
        throw this.#lost(`is led to ${shown(location)}, which is no address`);
      const next = new URL(location, url);
      await reach.check(next, 'a redirect');
      isAway ||= next.origin !== base.origin;
      url = next;
    }
    throw this.#lost(`is led elsewhere more than ${REDIRECTS} times`);
  }

  async #authorized(url: URL, isAway: boolean, reach: Reach, request: Request): Promise<Answer> {
    const { connections, waiting } = this.#means;
    const { method = 'GET', headers, signal } = request;
    const session = isAway ? this.#stranger(url.origin) : this.#session;
    const limit = isAway ? { reach } : {};
    const means = { connections, waiting, reach, signal };
    for (let isSecond = false; ; isSecond = true) {
      const authorization = await session.authorization(means);
      const shownTo = { ...headers, ...(authorization !== undefined && { authorization }) };
      const answer = await exchange(
        { method, url, headers: shownTo, signal, ...limit },
        connections,
        waiting,
      );
      if (!isAway) this.#notices.tell(answer);
      if (answer.status !== 401 || isSecond) return answer;
      if (!session.meet(parseChallenges(answer.headers['www-authenticate']), authorization)) return answer;
      answer.body.destroy();
    }
  }

  #stranger(origin: string): Session {
    const session = this.#strangers.get(origin) ?? new Session(new URL(origin).host, [], undefined);
    this.#strangers.set(origin, session);
    return session;
  }

  #find(signal: AbortSignal) {
    this.#place ??= this.#ping(signal).then((base) => ({ base, reach: new Reach(base) }));
    return this.#place;
  }

  /** https comes first; plain http is tried on this machine, and where the user has said so (distribution specification, end-1). */
  async #ping(signal: AbortSignal): Promise<URL> {
    const { isInsecure = false } = this.#means;
    const server = this.host === 'docker.io' ? 'registry-1.docker.io' : this.host;
    const secure = new URL(`https://${server}`);
    const mayBePlain = isInsecure || isLoopback(secure.hostname);
    try {
      await this.#pinged(secure, signal, mayBePlain);
      return secure;
    } catch (error) {
      if (!mayBePlain || error instanceof FlattenError) throw error;
      if (isOfCertificate(error)) throw brokenConnection(secure, error);
      const plain = new URL(`http://${server}`);
      // A server that speaks https says so to who does not.
      if ((await this.#pinged(plain, signal, false)) === 400) throw brokenConnection(secure, error);
      return plain;
    }
  }

  /** Gives the status of the answer. */
  async #pinged(base: URL, signal: AbortSignal, isProbe: boolean): Promise<number> {
    const { connections, waiting } = this.#means;
    const url = new URL('/v2/', base);
    const answer = await exchange({ method: 'GET', url, signal, isProbe }, connections, waiting);
    answer.body.destroy();
    if (answer.status === 401)
      this.#session.meet(parseChallenges(answer.headers['www-authenticate']), undefined);
    return answer.status;
  }

  #lost(what: string): FlattenError {
    return new FlattenError('NETWORK', `${this.host}: ${what}`);
  }
}
