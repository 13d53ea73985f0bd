import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, createPublicKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { listening } from './listening.js';
import { PASSWORD, USER } from './registry.js';

/** The alphabet of RFC 4648, base 32. */
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/**
 * Starts a server of tokens that `docker-registry` takes: by Basic whoever has the password may do all, anybody may pull below `public/`.
 * What it is asked for goes to `asked`, as `USER scope`.
 */
export async function startTokenServer(
  t: { after(done: () => void): void },
  home: string,
  asked: string[],
): Promise<{ readonly realm: string; readonly certificate: string }> {
  const [keyFile, certificate] = [join(home, 'token.key'), join(home, 'token.crt')];
  const made = ['-newkey', 'rsa:2048', '-nodes', '-keyout', keyFile, '-out', certificate];
  execFileSync('openssl', ['req', '-x509', ...made, '-days', '2', '-subj', '/CN=tokens'], {
    stdio: 'ignore',
  });
  const key = createPrivateKey(readFileSync(keyFile));
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://localhost');
    const scopes = url.searchParams.getAll('scope');
    const [, basic] = /^Basic (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const user = basic === undefined ? undefined : Buffer.from(basic, 'base64').toString();
    const isKnown = user === `${USER}:${PASSWORD}`;
    asked.push(`${isKnown ? USER : user === undefined ? 'anybody' : 'somebody else'} ${scopes.join(' ')}`);
    const isWrong = user !== undefined && !isKnown;
    response.writeHead(isWrong ? 401 : 200, { 'content-type': 'application/json' });
    if (isWrong) return response.end('{"errors":[{"code":"UNAUTHORIZED","message":"wrong password"}]}');
    const access = scopes.map((scope) => granted(scope, isKnown));
    return response.end(JSON.stringify({ token: token(key, access), expires_in: 300 }));
  });
  return { realm: `${await listening(t, server)}/token`, certificate };
}

function granted(scope: string, isKnown: boolean) {
  const [type = '', name = '', actions = ''] = scope.split(':');
  const allowed = isKnown ? actions.split(',') : name.startsWith('public/') ? ['pull'] : [];
  return { type, name, actions: allowed };
}

/** A JSON web token, whose key is named as libtrust does it. */
function token(key: ReturnType<typeof createPrivateKey>, access: readonly object[]): string {
  const publicKey = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const bits = [...createHash('sha256').update(publicKey).digest().subarray(0, 30)]
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  const kid = (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join('');
  const now = Math.floor(Date.now() / 1000);
  const times = { exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID() };
  const head = { typ: 'JWT', alg: 'RS256', kid: kid.match(/.{4}/g)!.join(':') };
  const body = { iss: 'test-issuer', sub: '', aud: 'test-service', ...times, access };
  const text = [head, body].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
