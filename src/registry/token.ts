import { FlattenError } from '../errors.js';
import { parseJson } from '../oci/json.js';
import { shown } from '../oci/shown.js';
import type { Connections } from './connections.js';
import { basic, type Credential } from './credential.js';
import { exchange, type Question } from './exchange.js';
import type { Waiting } from './patience.js';
import type { Reach } from './reach.js';
import { readRefusal, refused } from './refusal.js';
import { smallBody } from './small-body.js';

/** Bytes of an answer with a token in it; tokens with many claims have some thousands. */
const TOKEN_LIMIT = 64 * 1024;

/** Seconds that a token is good for where its server does not say (distribution, token authentication). */
const USUAL_LIFE = 60;

/** A token for a registry, and until when it is good, by `performance.now()`. */
export interface Token {
  readonly value: string;
  readonly until: number;
}

/** What a registry says of its server of tokens, and what the token is to be for. */
export interface TokenRequest {
  readonly host: string;
  readonly realm: string;
  readonly service?: string | undefined;
  /** As `repository:library/alpine:pull`. */
  readonly scopes: readonly string[];
  readonly credential?: Credential | undefined;
}

/** What a token is fetched with. */
export interface TokenMeans {
  readonly connections: Connections;
  readonly waiting: Waiting;
  readonly reach: Reach;
  readonly signal: AbortSignal;
}

/**
 * Fetches a token: by POST with an identity token (OAuth 2), which not all servers have, else by GET with the name and the password, or
 * for anybody. Throws `DENIED` where the credentials are not good.
 */
export async function fetchToken(request: TokenRequest, means: TokenMeans): Promise<Token> {
  const { host, realm, credential, scopes } = request;
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (url === undefined)
    throw new FlattenError('NETWORK', `${host}: names no server of tokens: ${shown(realm)}`);
  await means.reach.check(url, 'its server of tokens');
  const began = performance.now();
  let answer = credential?.identityToken === undefined ? undefined : await posted(url, request, means);
  if (answer === undefined || answer.status === 404 || answer.status === 405) {
    answer?.body.destroy();
    answer = await gotten(url, request, means);
  }
  if (answer.status !== 200) {
    const refusal = await readRefusal(answer);
    throw refused(refusal, { host, what: scopes[0]?.split(':')[1] ?? host, credential });
  }
  const json = parseJson(
    await smallBody(answer.body, TOKEN_LIMIT, { what: `${host}: the token` }),
    'the token',
  );
  const value = json.get('token').optionalString() || json.get('access_token').optionalString();
  if (!value || /[^\x21-\x7e]/.test(value)) throw new FlattenError('NETWORK', `${url.host}: sent no token`);
  const life = json.get('expires_in').value;
  const seconds = typeof life === 'number' && life > 0 ? Math.min(life, 86_400) : USUAL_LIFE;
  return { value, until: began + seconds * 900 }; // a tenth early: the way to the registry takes time
}

function posted(url: URL, { service, scopes, credential }: TokenRequest, means: TokenMeans) {
  const form = new URLSearchParams({ grant_type: 'refresh_token', client_id: 'flatten' });
  if (service !== undefined) form.set('service', service);
  form.set('scope', scopes.join(' '));
  form.set('refresh_token', credential!.identityToken!);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  return ask({ method: 'POST', url, headers, body: form.toString() }, means);
}

function gotten(url: URL, { service, scopes, credential }: TokenRequest, means: TokenMeans) {
  const asked = new URL(url);
  if (service !== undefined) asked.searchParams.set('service', service);
  for (const scope of scopes) asked.searchParams.append('scope', scope);
  const { identityToken } = credential ?? {};
  const shownAs =
    identityToken === undefined
      ? credential
      : { ...credential!, username: '<token>', password: identityToken };
  const authorization = shownAs && basic(shownAs);
  return ask({ method: 'GET', url: asked, ...(authorization && { headers: { authorization } }) }, means);
}

function ask(question: Omit<Question, 'signal'>, { connections, waiting, reach, signal }: TokenMeans) {
  return exchange({ ...question, signal, reach }, connections, waiting);
}
