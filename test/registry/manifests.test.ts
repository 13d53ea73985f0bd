/** Manifests from servers that want tokens, lead elsewhere, are busy, or lie. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { repositoryAt, scripted } from '../support/scripted-registry.js';

const MANIFEST = Buffer.from('{"schemaVersion":2}');
const DIGEST = `sha256:${createHash('sha256').update(MANIFEST).digest('hex')}`;
const { signal } = new AbortController();
const person = { username: 'me', password: 'secret', from: 'config.json' };

const json = (response: ServerResponse, value: unknown, status = 200, headers = {}) =>
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
const challenge = (response: ServerResponse, realm: string, more = '') =>
  response
    .writeHead(401, { 'www-authenticate': ['Negotiate', `Bearer realm="${realm}",service="s"${more}`] })
    .end();
const isManifest = (path: string) => path === '/v2/app/manifests/1';

test('by tag the digest is that of the body, whatever a header says; by digest it must match', async (t) => {
  const { host } = await scripted(t, (_, response, path) => {
    if (path.includes('/manifests/'))
      response.writeHead(200, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end(MANIFEST);
  });
  const { repository } = repositoryAt(t, host);
  assert.equal((await repository.manifest('1', signal)).digest, DIGEST);
  assert.equal((await repository.manifest(DIGEST, signal)).digest, DIGEST);
  await assert.rejects(repository.manifest(`sha256:${'1'.repeat(64)}`, signal), { code: 'DIGEST_MISMATCH' });
});

test('a token is fetched once, kept, and made anew when it is refused in the middle', async (t) => {
  let good = '';
  let made = 0;
  const { host, url, asked } = await scripted(t, (request, response, path) => {
    if (path.startsWith('/token')) {
      good = `t${++made}`;
      return json(response, { access_token: good, expires_in: 300 });
    }
    if (request.headers.authorization !== `Bearer ${good}`) return challenge(response, `${url}/token`);
    return isManifest(path) ? response.end(MANIFEST) : undefined;
  });
  const { repository } = repositoryAt(t, host, person);
  await Promise.all([repository.manifest('1', signal), repository.manifest('1', signal)]);
  assert.equal(made, 1);
  good = 'taken back';
  await repository.manifest('1', signal);
  assert.equal(made, 2);
  const basic = `(Basic ${Buffer.from('me:secret').toString('base64')})`;
  const tokens = asked.filter((line) => line.startsWith('GET /token'));
  assert.equal(tokens[0], `GET /token?service=s&scope=repository%3Aapp%3Apull ${basic}`);
});

test('a scope that a registry asks for in the middle is added', async (t) => {
  const { host, url, asked } = await scripted(t, (request, response, path) => {
    if (path.startsWith('/token')) return json(response, { token: path.includes('other') ? 'both' : 'one' });
    const { authorization } = request.headers;
    if (isManifest(path) && authorization !== 'Bearer both')
      return challenge(response, `${url}/token`, ',scope="repository:other:pull",error="insufficient_scope"');
    if (authorization === undefined) return challenge(response, `${url}/token`);
    return isManifest(path) ? response.end(MANIFEST) : undefined;
  });
  await repositoryAt(t, host).repository.manifest('1', signal);
  assert.ok(
    asked.some((line) => line.includes('scope=repository%3Aapp%3Apull&scope=repository%3Aother%3Apull')),
  );
});

test('an identity token goes by POST, and by GET where the server has no POST', async (t) => {
  for (const hasPost of [true, false]) {
    const { host, url, asked } = await scripted(t, async (request, response, path) => {
      if (path.startsWith('/token')) {
        let body = '';
        for await (const chunk of request) body += chunk;
        if (request.method === 'POST' && !hasPost) return undefined;
        const isRight = hasPost
          ? body.includes('grant_type=refresh_token') && body.includes('refresh_token=identity')
          : request.headers.authorization === `Basic ${Buffer.from('<token>:identity').toString('base64')}`;
        return json(response, { token: isRight ? 'good' : 'bad' });
      }
      if (request.headers.authorization !== 'Bearer good') return challenge(response, `${url}/token`);
      return isManifest(path) ? response.end(MANIFEST) : undefined;
    });
    const { repository } = repositoryAt(t, host, { identityToken: 'identity', from: 'config.json' });
    await repository.manifest('1', signal);
    assert.ok(asked.some((line) => line.startsWith('POST /token')));
  }
});

test('a redirect takes no credentials along, and gets none back, not even at home', async (t) => {
  const away = await scripted(t, (_, response, path) => {
    if (path === '/to-challenge') return challenge(response, `${away.url}/token`);
    if (path.startsWith('/token')) return json(response, { token: 'for-anybody' });
    return response.writeHead(307, { location: `${home.url}/v2/app/back` }).end();
  });
  const home = await scripted(t, (request, response, path) => {
    if (path === '/v2/app/back') return response.end(MANIFEST);
    if (request.headers.authorization === undefined)
      return response.writeHead(401, { 'www-authenticate': 'Basic realm="home"' }).end();
    if (isManifest(path)) return response.writeHead(307, { location: `${away.url}/away` }).end();
    if (path === '/v2/app/manifests/2')
      return response.writeHead(307, { location: `${away.url}/to-challenge` }).end();
    return undefined;
  });
  const { repository } = repositoryAt(t, home.host, person);
  assert.deepEqual((await repository.manifest('1', signal)).bytes, MANIFEST);
  assert.equal(home.asked.at(-1), 'GET /v2/app/back');
  assert.ok(
    home.asked.some((line) => line.includes('(Basic ')),
    'it was shown at home before',
  );
  // A challenge elsewhere gets what anybody gets.
  await assert.rejects(repository.manifest('2', signal), { code: 'DENIED' });
  assert.ok(away.asked.includes('GET /to-challenge (Bearer for-anybody)'));
  for (const line of away.asked) assert.ok(!line.includes('Basic'), line);
});

test('a circle of redirects ends, and a redirect to no address', async (t) => {
  const { host } = await scripted(t, (_, response, path) => {
    if (path.includes('/manifests/2')) return response.writeHead(307, { location: 'http://[' }).end();
    return path === '/v2/' ? undefined : response.writeHead(302, { location: path }).end();
  });
  const { repository } = repositoryAt(t, host);
  await assert.rejects(repository.manifest('1', signal), { code: 'NETWORK', message: /more than 10 times/ });
  await assert.rejects(repository.manifest('2', signal), { code: 'NETWORK', message: /no address/ });
});

test('neither a redirect nor a server of tokens is anywhere but on the web', async (t) => {
  const { host } = await scripted(t, (_, response, path) => {
    if (isManifest(path)) return response.writeHead(307, { location: 'file:///etc/passwd' }).end();
    return path.endsWith('/2') ? challenge(response, 'file:///etc/passwd') : undefined;
  });
  const { repository } = repositoryAt(t, host);
  await assert.rejects(repository.manifest('1', signal), { code: 'DENIED', message: /a redirect leads to/ });
  await assert.rejects(repository.manifest('2', signal), {
    code: 'DENIED',
    message: /its server of tokens leads to/,
  });
});

test('a busy registry is asked again: as it says, else after longer and longer waits', async (t) => {
  let count = 0;
  const { host } = await scripted(t, (_, response, path) => {
    if (!isManifest(path)) return undefined;
    count++;
    if (count === 1) return response.writeHead(429, { 'retry-after': '37' }).end();
    if (count === 2) return response.writeHead(503).end();
    return count === 3 ? response.destroy() : response.end(MANIFEST);
  });
  const { repository, waits, told } = repositoryAt(t, host);
  await repository.manifest('1', signal);
  assert.deepEqual(waits, [37_000, 750, 1500]);
  assert.deepEqual(told, [
    `${host}: rate limited, waiting 37 s`,
    `${host}: the connection was cut, waiting 2 s`,
  ]);
});

test('one that stays busy, or asks for too long a wait, is an error', async (t) => {
  const { host, asked } = await scripted(t, (_, response, path) => {
    if (isManifest(path))
      return json(response, { errors: [{ code: 'TOOMANYREQUESTS', message: 'slow\u001b[31m down' }] }, 429);
    if (path.endsWith('/2')) return response.writeHead(429, { 'retry-after': '99999' }).end();
    return undefined;
  });
  const { repository } = repositoryAt(t, host);
  await assert.rejects(repository.manifest('1', signal), {
    code: 'NETWORK',
    message: `${host}: rate limited (it says: slow\\x1b[31m down)`,
    hint: /docker login/,
  });
  assert.equal(asked.filter((line) => line.includes('manifests/1')).length, 6);
  await assert.rejects(repository.manifest('2', signal), {
    code: 'NETWORK',
    message: /again in 1667 minutes/,
  });
});

test('bodies without end: of a manifest, of an error, of a token', async (t) => {
  const chunk = Buffer.alloc(1 << 20, 0x20);
  const endless = async (response: ServerResponse, status: number) => {
    response.writeHead(status);
    while (!response.destroyed)
      await new Promise((resolve) => response.write(chunk, () => setImmediate(resolve)));
  };
  const { host, url } = await scripted(t, (_, response, path) => {
    if (isManifest(path)) return void endless(response, 200);
    if (path.endsWith('/2')) return void endless(response, 400);
    if (path.startsWith('/token')) return void endless(response, 200);
    return path.endsWith('/3') ? challenge(response, `${url}/token`) : undefined;
  });
  const { repository } = repositoryAt(t, host);
  await assert.rejects(repository.manifest('1', signal), { code: 'LIMIT' });
  await assert.rejects(repository.manifest('2', signal), { code: 'NETWORK', message: /answers 400/ });
  await assert.rejects(repository.manifest('3', signal), { code: 'LIMIT', message: /the token/ });
});
