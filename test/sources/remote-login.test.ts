/** Registries that want to know who asks, and that have certificates of their own. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { atEnd } from '../support/at-end.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { push, startRegistry, type TestRegistry } from '../support/registry.js';
import { flattenAs as flatten } from '../support/registry-user.js';
import { open } from './opening.js';

const DEMO = `docker-archive:${join(PROJECT, 'test/images/demo.tar')}`;

const wrong = Buffer.from('tester:wrong').toString('base64');

for (const login of ['htpasswd', 'token'] as const) {
  suite(`a registry with ${login}`, { skip: needs('docker-registry', 'skopeo', 'openssl') }, () => {
    const end = atEnd(after);
    let registry: TestRegistry;
    before(async () => {
      registry = await startRegistry(end, { login });
      await push(registry, DEMO, 'team/demo:1');
      await push(registry, DEMO, 'public/demo:1');
    });

    test('who has logged in gets the image', async (t) => {
      const { code, stderr } = await flatten(t, registry, [
        `docker://${registry.host}/team/demo:1`,
        '-o',
        'a.tar',
        '-v',
      ]);
      assert.equal(code, 0, stderr);
    });

    test('who has not is told how to; who has with a wrong password, which file it is in', async (t) => {
      const args = [`docker://${registry.host}/team/demo:1`, '-o', 'a.tar', '-v'];
      const nobody = await flatten(t, { host: registry.host, auth: '' }, args);
      assert.equal(nobody.code, 1);
      assert.match(nobody.stderr, /the registry wants credentials, and no credentials were found/);
      assert.match(nobody.stderr, new RegExp(`docker login ${registry.host}`));
      const other = await flatten(t, { host: registry.host, auth: wrong }, args);
      assert.equal(other.code, 1);
      assert.match(other.stderr, /those of .*\.docker\/config\.json were refused/);
    });

    test('a tag that is not there: those that are', async (t) => {
      const { stderr } = await flatten(t, registry, [`docker://${registry.host}/team/demo:2`, '-o', 'a.tar']);
      assert.match(stderr, /team\/demo:2: is not in the registry .*\n {2}it has the tags:\n {4}1$/m);
    });

    if (login !== 'htpasswd') {
      test('anybody gets what is for anybody, with one token', async (t) => {
        const { digest } = await open(t, `docker://${registry.host}/public/demo:1`);
        assert.match(digest!, /^sha256:/);
        assert.equal(registry.asked.at(-1), 'anybody repository:public/demo:pull');
        assert.equal(registry.asked.filter((line) => line.startsWith('anybody repository:public')).length, 1);
      });
    }
  });
}

suite(
  'a registry with an authority of its own',
  { skip: needs('docker-registry', 'skopeo', 'openssl') },
  () => {
    const end = atEnd(after);
    let registry: TestRegistry;
    before(async () => {
      registry = await startRegistry(end, { tls: true });
      await push(registry, DEMO, 'demo:1');
    });

    test('it is trusted once its certificate is in certs.d, or for --insecure, and else told where to put it', async (t) => {
      const args = [`docker://${registry.host}/demo:1`, '-o', 'a.tar'];
      const unknown = await flatten(t, registry, args);
      assert.equal(unknown.code, 1);
      assert.match(
        unknown.stderr,
        /signed by an authority that is not known here\n.*certs\.d\/127\.0\.0\.1:\d+\/ca\.crt/,
      );
      assert.equal((await flatten(t, registry, args, registry.certificates)).code, 0);
      assert.equal((await flatten(t, registry, [...args, '--insecure', registry.host])).code, 0);
      assert.equal((await flatten(t, registry, [...args, '--insecure', 'other.example'])).code, 1);
    });
  },
);
