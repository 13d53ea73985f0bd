import { FlattenError } from '../errors.js';
import { isLoopback } from '../host/private-address.js';
import { shown } from '../oci/shown.js';
import { parseChallenges } from './challenge.js';
import { brokenConnection, isOfCertificate } from './connection-trouble.js';
import type { Connections } from './connections.js';
import type { Credential } from './credential.js';
import { type Answer, exchange, type Question } from './exchange.js';
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
export interface Request extends Omit<Question, 'method' | 'url' | 'reach'> {
  /** Default: GET. */
  readonly method?: Question['method'];
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

/** An address that a registry has led to. */
export interface Onward {
  readonly url: URL;
  /** It is elsewhere, or somebody elsewhere has named it: no credentials are shown there. */
  readonly isAway: boolean;
}

/** An answer, and where it came from. */
export type ClientAnswer = Answer & Onward;

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

  /** Says of something more that it is to be done, or not any more: `repository:team/base:pull`. */
  want(scope: string, isWanted: boolean): void {
    this.#session.want(scope, isWanted);
  }

  /**
   * Asks for a path below the registry's own address, `/v2/NAME/tags/list`, or where it has led to. Gives the answer, whatever it is. With `led`, the server
   * that a redirect led to is asked again, until it refuses: what it leads to may be signed for some minutes.
   */
  async ask(at: string | Onward, request: Request, led: Led = {}): Promise<ClientAnswer> {
    const { base } = await this.#find(request.signal);
    const { url } = led;
    if (url !== undefined) {
      const answer = await this.#follow({ url, isAway: true }, request);
      if (answer.status < 400) return answer;
      answer.body.destroy();
      if (led.url === url) led.url = undefined;
    }
    const first = typeof at === 'string' ? { url: new URL(at, base), isAway: false } : at;
    const answer = await this.#follow(first, request);
    led.url = answer.url.origin === base.origin ? undefined : answer.url;
    return answer;
  }

  /** Asks an address that the registry names for a layer, as somebody whom nobody knows. Throws `DENIED` for one that is not https or where the registry may not lead. */
  async askForeign(address: string, request: Request): Promise<Answer> {
    const { reach } = await this.#find(request.signal);
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url === undefined) throw this.#lost(`names ${shown(address)} for a layer, which is no address`);
    if (url.protocol !== 'https:')
      throw new FlattenError(
        'DENIED',
        `${this.host}: names ${shown(url.origin)} for a layer, which is not https`,
      );
    await reach.check(url, 'a foreign layer');
    return this.#follow({ url, isAway: true }, request);
  }

  /** Follows redirects; of what is no question, only those that want the same done elsewhere (RFC 9110, section 15.4). */
  async #follow(first: Onward, request: Request): Promise<ClientAnswer> {
    const isQuestion = ['GET', 'HEAD'].includes(request.method ?? 'GET');
    const followed = isQuestion ? [301, 302, 303, 307, 308] : [307, 308];
    let at = first;
    for (let count = 0; count <= REDIRECTS; count++) {
      const answer = { ...(await this.#authorized(at, request)), ...at };
      if (!followed.includes(answer.status)) return answer;
      const next = await this.onward(answer, 'a redirect');
      if (next === undefined) return answer;
      answer.body.destroy();
      at = next;
    }
    throw this.#lost(`is led elsewhere more than ${REDIRECTS} times`);
  }

  /**
   * Where the `Location` of an answer leads to; undefined where there is none. Throws `DENIED` for a place that a registry must not lead to. From
   * elsewhere on, the registry's credentials are never shown again, also where it leads back.
   */
  async onward(answer: ClientAnswer, what: string): Promise<Onward | undefined> {
    const { location } = answer.headers;
    if (typeof location !== 'string') return undefined;
    const { base, reach } = await this.#place!; // there is an answer
    if (!URL.canParse(location, answer.url.href))
      throw this.#lost(`is led to ${shown(location)}, which is no address`);
    const url = new URL(location, answer.url);
    await reach.check(url, what);
    return { url, isAway: answer.isAway || url.origin !== base.origin };
  }

  async #authorized({ url, isAway }: Onward, request: Request): Promise<Answer> {
    const { connections, waiting } = this.#means;
    const { method = 'GET', headers, signal } = request;
    const { reach } = await this.#find(signal);
    const session = isAway ? this.#stranger(url.origin) : this.#session;
    const limit = isAway ? { reach } : {};
    const means = { connections, waiting, reach, signal };
    for (let isSecond = false; ; isSecond = true) {
      const authorization = await session.authorization(means);
      const shownTo = { ...headers, ...(authorization !== undefined && { authorization }) };
      const answer = await exchange(
        { ...request, method, url, headers: shownTo, ...limit },
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
  async #pinged(base: URL, signal: AbortSignal, isOnce: boolean): Promise<number> {
    const { connections, waiting } = this.#means;
    const url = new URL('/v2/', base);
    const answer = await exchange({ method: 'GET', url, signal, isOnce }, connections, waiting);
    answer.body.destroy();
    if (answer.status === 401)
      this.#session.meet(parseChallenges(answer.headers['www-authenticate']), undefined);
    return answer.status;
  }

  #lost(what: string): FlattenError {
    return new FlattenError('NETWORK', `${this.host}: ${what}`);
  }
}
