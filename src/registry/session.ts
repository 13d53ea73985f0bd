import type { Challenge } from './challenge.js';
import { basic, type Credential } from './credential.js';
import { fetchToken, type Token, type TokenMeans } from './token.js';

/** Who somebody is to one server: what its requests have in `Authorization`, kept and made anew when it is refused. */
export class Session {
  readonly #host: string;
  readonly #credential: Credential | undefined;
  readonly #scopes: Set<string>;
  #basic: string | undefined;
  #bearer: { readonly realm: string; readonly service?: string | undefined } | undefined;
  #token: Token | undefined;
  #fetching: Promise<Token> | undefined;

  /** `scopes` are what is to be done there: `repository:library/alpine:pull`. */
  constructor(host: string, scopes: readonly string[], credential: Credential | undefined) {
    this.#host = host;
    this.#scopes = new Set(scopes);
    this.#credential = credential;
  }

  /** Adds something that is to be done there too, or takes it away: the next token is for it. */
  want(scope: string, isWanted: boolean): void {
    if (this.#scopes.has(scope) === isWanted) return;
    if (isWanted) this.#scopes.add(scope);
    else this.#scopes.delete(scope);
    this.#token = undefined;
  }

  /** What to show now; undefined where nothing is known, or nothing needed. */
  async authorization(means: TokenMeans): Promise<string | undefined> {
    if (this.#bearer === undefined) return this.#basic;
    if (this.#token === undefined || performance.now() > this.#token.until) await this.#fetch(means);
    return `Bearer ${this.#token!.value}`;
  }

  /**
   * Takes up the challenges of a server, of which Bearer comes first, that has refused a request with `sent` in it. False where there is
   * nothing else to show.
   */
  meet(challenges: readonly Challenge[], sent: string | undefined): boolean {
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters.has('realm'),
    );
    if (bearer !== undefined) {
      const { parameters } = bearer;
      for (const scope of (parameters.get('scope') ?? '').split(' '))
        if (scope !== '') this.#scopes.add(scope);
      this.#bearer = { realm: parameters.get('realm')!, service: parameters.get('service') };
      // Another request may have renewed it meanwhile.
      if (this.#token !== undefined && sent === `Bearer ${this.#token.value}`) this.#token = undefined;
      return true;
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic') || this.#credential === undefined) return false;
    this.#basic = basic(this.#credential);
    return this.#basic !== undefined && this.#basic !== sent;
  }

  /** Requests that need a token at one time wait for the same one. */
  async #fetch(means: TokenMeans): Promise<void> {
    this.#fetching ??= fetchToken(
      { host: this.#host, ...this.#bearer!, scopes: [...this.#scopes], credential: this.#credential },
      means,
    ).finally(() => {
      this.#fetching = undefined;
    });
    this.#token = await this.#fetching;
  }
}
