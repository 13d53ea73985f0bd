/** Layers that a registry does not have itself, and names addresses for. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, suite, type TestContext, test } from 'node:test';
import { Connections } from '../../src/registry/connections.js';
import { layer, open, paths, session } from '../sources/opening.js';
import { makeCertificates } from '../support/certificates.js';
import { setEnvironment } from '../support/environment.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { blobOf, partial, read, repositoryAt, scripted } from '../support/scripted-registry.js';

const { bytes, descriptor } = blobOf(2 ** 20 + 5);

suite('foreign layers', { skip: needs('openssl') }, () => {
  let home: string;
  before(() => {
    home = scratch({ after: (done) => void process.once('exit', done) });
    makeCertificates(home);
  });

  const pem = (name: string) => readFileSync(join(home, name), 'utf8');

  /** A server with the layer, and a registry that is to know its certificate. */
  async function world(t: TestContext, cut = false) {
    let count = 0;
    const elsewhere = await scripted(
      t,
      (request, response, path) => {
        if (path.startsWith('/moved'))
          return response.writeHead(302, { location: '/layer?key=secret' }).end();
        if (path.startsWith('/layer'))
          return partial(bytes, request, response, cut && count++ === 0 ? 500_000 : undefined);
        return undefined;
      },
      { cert: pem('server.crt'), key: pem('server.key') },
    );
    const port = new URL(elsewhere.url).port;
    const registry = await scripted(t, () => undefined);
    const trusting = { connections: new Connections(() => ({ ca: [pem('ca/ca.crt')] })) };
    const at = (allowForeign: boolean) =>
      repositoryAt(
        t,
        registry.host,
        { username: 'me', password: 'secret-of-tests', from: 'a test' },
        { ...trusting, allowForeign },
      ).repository;
    return { elsewhere, registry, at, url: `https://127.0.0.1:${port}` };
  }

  test('they are refused, with the option that allows them', async (t) => {
    const { at, url, elsewhere } = await world(t);
    const urls = [`${url}/layer?key=secret-key`];
    await assert.rejects(read(at(false), { ...descriptor, urls }), (error: Error & { hint: string }) => {
      assert.match(
        error.message,
        /is a foreign layer: 127\S+ does not have it, but https:\/\/127\S+\/layer$/,
      );
      assert.match(error.hint, /\{allowForeignLayers\}/);
      return true;
    });
    assert.deepEqual(elsewhere.asked, []);
  });

  test('allowed, they come from the first address that has them, go on after a cut, and are shown nothing', async (t) => {
    const { at, url, elsewhere } = await world(t, true);
    const urls = [`${url}/none`, `${url}/moved`];
    assert.ok((await read(at(true), { ...descriptor, urls })).equals(bytes));
    assert.deepEqual(elsewhere.asked, [
      'GET /none',
      'GET /moved',
      'GET /layer?key=secret',
      `GET /moved bytes=500000-${bytes.length - 1}`,
      `GET /layer?key=secret bytes=500000-${bytes.length - 1}`,
    ]);
  });

  test('a layer that the registry has is not asked for elsewhere', async (t) => {
    const registry = await scripted(t, (request, response, path) => {
      if (path.includes('/blobs/')) partial(bytes, request, response);
    });
    const { repository } = repositoryAt(t, registry.host);
    const urls = ['https://nowhere.invalid/layer'];
    assert.ok((await read(repository, { ...descriptor, urls })).equals(bytes));
  });

  test('only by https, only where the registry may lead, and only of the size that the descriptor says', async (t) => {
    const { at, url } = await world(t);
    const refused = async (address: string, message: RegExp, size = descriptor.size) =>
      assert.rejects(read(at(true), { ...descriptor, size, urls: [address] }), { message });
    await refused('http://127.0.0.1/layer', /which is not https/);
    await refused('file:///etc/passwd', /which is not https/);
    await refused('nonsense', /which is no address/);
    await refused('https://me:secret@127.0.0.1/layer', /has a password in it/);
    await refused(`${url}/none?key=secret-key`, /https:\/\/127\S+\/none answers 404$/);
    await refused(`${url}/layer`, /has \d+ bytes here, and its descriptor says 10/, 10);
  });

  test('an image with one of them, once it is allowed', async (t) => {
    setEnvironment(t, { SSL_CERT_FILE: join(home, 'ca/ca.crt') });
    const tar = layer('etc/foreign').tar;
    const blob = (data: Buffer, mediaType: string) => ({
      mediaType,
      size: data.length,
      digest: `sha256:${createHash('sha256').update(data).digest('hex')}`,
    });
    const tls = { cert: pem('server.crt'), key: pem('server.key') };
    const elsewhere = await scripted(t, (_, response, path) => path === '/layer' && response.end(tar), tls);
    const type = 'application/vnd.docker.image.rootfs.foreign.diff.tar';
    const foreign = { ...blob(tar, type), urls: [`${elsewhere.url.replace('http:', 'https:')}/layer`] };
    const config = Buffer.from(
      JSON.stringify({
        os: 'linux',
        architecture: 'amd64',
        rootfs: { type: 'layers', diff_ids: [foreign.digest] },
      }),
    );
    const described = blob(config, 'application/vnd.docker.container.image.v1+json');
    const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
    const manifest = { schemaVersion: 2, mediaType, config: described, layers: [foreign] };
    const registry = await scripted(t, (_, response, path) => {
      if (path.includes('/manifests/'))
        return response.writeHead(200, { 'content-type': mediaType }).end(JSON.stringify(manifest));
      return path.endsWith(described.digest) && response.end(config);
    });
    const name = `docker://${registry.host}/app:1`;
    const context = session(t);
    const refused = await open(t, name, {}, context);
    await assert.rejects(paths(refused, context), {
      code: 'DENIED',
      message: /^layer 1 of 1 \(sha256:\S+\): blob \S+: is a foreign layer/,
    });
    const image = await open(t, name, {}, context, { registries: { allowForeignLayers: true } });
    assert.deepEqual(await paths(image, context), [['etc/foreign']]);
  });
});
