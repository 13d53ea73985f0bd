/** Ways to a real registry: proxies, and certificates of clients and authorities. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, suite, type TestContext, test } from 'node:test';
import { atEnd } from '../support/at-end.js';
import { needs } from '../support/needs.js';
import { start } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { startProxy } from '../support/proxy.js';
import { push, startRegistry, type TestRegistry } from '../support/registry.js';
import { scratch } from '../support/scratch.js';

const DEMO = `docker-archive:${join(PROJECT, 'test/images/demo.tar')}`;
const NAME = 'registry.example.test';

/** Runs the program in a home of its own, where no proxy is named but by `env`. */
async function flatten(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv, home = scratch(t)) {
  const none = Object.fromEntries(
    ['http_proxy', 'https_proxy', 'no_proxy'].flatMap((name) => [
      [name, ''],
      [name.toUpperCase(), ''],
    ]),
  );
  const own = { HOME: home, XDG_CONFIG_HOME: '', XDG_RUNTIME_DIR: home, FLATTEN_CACHE: 'none' };
  const child = start([...args, '-o', 'a.tar', '--force'], {
    cwd: home,
    env: { ...process.env, ...none, ...own, NODE_EXTRA_CA_CERTS: '', SSL_CERT_FILE: '', ...env },
  });
  const [stderr] = await Promise.all([text(child.stderr!), once(child, 'close')]);
  return { code: child.exitCode, stderr };
}

suite('ways to a registry', { skip: needs('docker-registry', 'skopeo', 'openssl') }, () => {
  const end = atEnd(after);
  let secure: TestRegistry;
  let plain: TestRegistry;
  before(async () => {
    [secure, plain] = await Promise.all([startRegistry(end, { tls: true }), startRegistry(end)]);
    await push(secure, DEMO, 'demo:1');
    await push(plain, DEMO, 'demo:1');
  });

  test('https by a proxy, unless it is excepted; an authority by NODE_EXTRA_CA_CERTS and SSL_CERT_FILE', async (t) => {
    const proxy = await startProxy(t, secure.host);
    const ca = join(secure.certificates, 'ca.crt');
    const image = [`docker://${NAME}/demo:1`];
    const env = { HTTPS_PROXY: proxy.url };
    for (const trusted of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE']) {
      const { code, stderr } = await flatten(t, image, { ...env, [trusted]: ca });
      assert.equal(code, 0, stderr);
    }
    assert.ok(proxy.asked.length > 0);
    assert.deepEqual([...new Set(proxy.asked)], [`CONNECT ${NAME}:443`]);
    const strange = await flatten(t, image, env);
    assert.match(strange.stderr, /signed by an authority that is not known here/);
    const { length } = proxy.asked;
    const excepted = await flatten(t, image, { ...env, SSL_CERT_FILE: ca, NO_PROXY: '.example.test' });
    assert.match(excepted.stderr, new RegExp(`${NAME}: (there is no such host|its address cannot be found)`));
    assert.equal(proxy.asked.length, length);
  });

  test('plain http by a proxy, which forwards it', async (t) => {
    const proxy = await startProxy(t, plain.host);
    const args = [`docker://${NAME}:5000/demo:1`, '--insecure', `${NAME}:5000`];
    const { code, stderr } = await flatten(t, args, { HTTP_PROXY: proxy.url });
    assert.equal(code, 0, stderr);
    assert.ok(proxy.asked.includes(`GET http://${NAME}:5000/v2/`), proxy.asked.join('\n'));
  });

  test('a registry that wants a certificate of the client', async (t) => {
    const registry = await startRegistry(t, { tls: true, clients: true });
    await push(registry, DEMO, 'demo:1');
    const { host } = registry;
    const home = scratch(t);
    const certs = join(home, '.config/containers/certs.d', host);
    mkdirSync(certs, { recursive: true });
    copyFileSync(join(registry.certificates, 'ca.crt'), join(certs, 'ca.crt'));
    const image = [`docker://${host}/demo:1`];
    const nobody = await flatten(t, image, {}, home);
    assert.equal(nobody.code, 1);
    assert.match(
      nobody.stderr,
      /ends the connection\n.*wants a certificate of its clients.*certs\.d\/127\.0\.0\.1:\d+\/client\.cert/,
    );
    for (const name of ['client.cert', 'client.key'])
      copyFileSync(join(registry.client, name), join(certs, name));
    const known = await flatten(t, image, {}, home);
    assert.equal(known.code, 0, known.stderr);
  });
});
