/** Images of a real registry, Debian's `docker-registry`, to which skopeo has pushed them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { atEnd } from '../support/at-end.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { push, startRegistry, type TestRegistry } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { open, paths, session } from './opening.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

suite('a registry that is open to all', { skip: needs('docker-registry', 'skopeo') }, () => {
  const end = atEnd(after);
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry(end);
    await push(registry, `docker-archive:${DEMO}`, 'team/demo:1.0');
    await push(registry, `docker-archive:${DEMO}`, 'team/demo:oci', '--format', 'oci');
  });

  test('the demo image comes out of it as it comes out of its archive', (t) => {
    const cwd = scratch(t);
    const { code, stderr } = run([`docker://${registry.host}/team/demo:1.0`, '-o', 'a.tar'], { cwd });
    assert.equal(code, 0, stderr);
    assert.match(stderr, /, from 127\.0\.0\.1:\d+\/team\/demo:1\.0 \(4 layers\)$/m);
    run([DEMO, '-o', 'b.tar'], { cwd });
    assert.ok(readFileSync(join(cwd, 'a.tar')).equals(readFileSync(join(cwd, 'b.tar'))));
  });

  test('it is what skopeo copies to a layout: config, digest and kept layers', async (t) => {
    const cwd = scratch(t);
    const from = `docker://${registry.host}/team/demo:oci`;
    const layout = `oci:${join(cwd, 'copied')}:x`;
    execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', from, layout]);
    const [image, copy] = [await open(t, from), await open(t, layout)];
    assert.deepEqual(image.config?.json, copy.config?.json);
    assert.deepEqual(
      image.layers.map(({ digest, diffID, size }) => [digest, diffID, size]),
      copy.layers.map(({ digest, diffID, size }) => [digest, diffID, size]),
    );
    assert.deepEqual(await paths(image, session(t)), await paths(copy, session(t)));
    for (const [input, output] of [
      [from, 'oci:one:x'],
      [layout, 'oci:two:x'],
    ] as const) {
      const { code, stderr } = run([input, '-o', output, '--last', '2', '--source-date-epoch', '0'], { cwd });
      assert.equal(code, 0, stderr);
    }
    const layers = (name: string) => {
      const index = JSON.parse(readFileSync(join(cwd, name, 'index.json'), 'utf8'));
      const blob = join(cwd, name, 'blobs', index.manifests[0].digest.replace(':', '/'));
      return JSON.parse(readFileSync(blob, 'utf8')).layers;
    };
    assert.deepEqual(layers('one'), layers('two'));
  });

  test('by digest', async (t) => {
    const { digest } = await open(t, `docker://${registry.host}/team/demo:1.0`);
    const image = await open(t, `docker://${registry.host}/team/demo@${digest}`);
    assert.equal(image.digest, digest);
    assert.equal(image.kind, 'registry');
    assert.equal(image.layers.length, 4);
  });

  test('what is not there, and another platform', async (t) => {
    const unknown = `docker://${registry.host}/team/demo@sha256:${'0'.repeat(64)}`;
    await assert.rejects(open(t, unknown), { code: 'NOT_FOUND', message: /is not in the registry/ });
    const platform = { os: 'linux', architecture: 's390x' };
    await assert.rejects(open(t, `docker://${registry.host}/team/demo:1.0`, { platform }), {
      code: 'NOT_FOUND',
      message: /holds no image for linux\/s390x/,
      hint: /linux\/amd64/,
    });
    const { code, stderr } = run(['import', `docker://${registry.host}/team/demo:1.0`, '-o', 'x.tar']);
    assert.equal(code, 1);
    assert.match(stderr, /is an image, and a root filesystem is wanted/);
  });
});
