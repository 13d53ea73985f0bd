/** Images that are pushed to a real registry, Debian's `docker-registry`, judged by what skopeo, podman and Docker take from it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { flatten } from '../../../src/flatten.js';
import { image, openImage } from '../../../src/index.js';
import { atEnd } from '../../support/at-end.js';
import { ENGINE_NEEDS, RUNS_DEMO, startEngine } from '../../support/docker.js';
import { ociFiles, writeFiles } from '../../support/image.js';
import { lines } from '../../support/listing.js';
import { needs } from '../../support/needs.js';
import { ownPodman } from '../../support/podman.js';
import { run } from '../../support/program.js';
import { PASSWORD, push, startRegistry, type TestRegistry, USER } from '../../support/registry.js';
import { flattenAs } from '../../support/registry-user.js';
import { scratch } from '../../support/scratch.js';
import { MEMORY } from '../../support/sinks.js';
import { archive } from '../../support/tar.js';
import { until } from '../../support/until.js';
import { DEMO, GREETING } from './made.js';

/** What skopeo says of an image there. */
function inspect({ host }: TestRegistry, name: string, ...more: string[]): string {
  const args = ['inspect', '--tls-verify=false', ...more, `docker://${host}/${name}`];
  return execFileSync('skopeo', args, { encoding: 'utf8', stdio: 'pipe' });
}

/** What the registry was asked about a name until it got a tag, from another one on, without what it puts into addresses. */
async function answeredFor(
  registry: TestRegistry,
  name: string,
  tag = '1',
  after?: string,
): Promise<string[]> {
  const lines = () => registry.answered.filter((line) => line.includes(` /v2/${name}/`));
  const isLast = (line: string) => line.endsWith(` PUT /v2/${name}/manifests/${tag}`);
  await until(() => lines().some(isLast));
  const from =
    after === undefined ? 0 : lines().findIndex((line) => line.endsWith(`/manifests/${after}`)) + 1;
  return lines()
    .slice(from)
    .map((line) => line.replace(/\?_state=[^&]*/, '?'));
}

suite('a registry that is open to all', { skip: needs('docker-registry', 'skopeo') }, () => {
  const end = atEnd(after);
  let registry: TestRegistry;
  before(async () => {
    registry = await startRegistry(end);
  });
  const pushed = (args: readonly string[], name: string) => {
    const output = `docker://${registry.host}/${name}`;
    const { code, stdout, stderr } = run([...args, '-o', output, '--json'], { cwd: scratch(end) });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout.toString()) as { digest: string; reference: string; output: string };
  };

  test('skopeo finds the digest that was told, and copies the image whole', async (t) => {
    const cwd = scratch(t);
    const { digest, reference, output } = pushed([DEMO], 'team/app:1');
    assert.equal(output, `docker://${registry.host}/team/app:1`);
    assert.equal(reference, `${registry.host}/team/app:1@${digest}`);
    assert.equal(JSON.parse(inspect(registry, 'team/app:1')).Digest, digest);
    assert.equal(JSON.parse(inspect(registry, `team/app@${digest}`)).Layers.length, 1);
    const from = `docker://${registry.host}/team/app:1`;
    const layout = `oci:${join(cwd, 'copied')}:x`;
    execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', from, layout]);
    assert.deepEqual(lines(await MEMORY.list(layout, cwd)), lines(await MEMORY.list(DEMO, cwd)));
    const line = run([DEMO, '-o', from], { cwd }).stderr;
    assert.match(line, new RegExp(`^${reference}: 27 entries, [\\d.]+ kB, [\\d.]+ s, from flatten/demo`));
  });

  test('what is in a layout is in the registry, byte for byte', async (t) => {
    const layout = join(scratch(t), 'layout');
    const { artifact } = await flatten({ input: DEMO, output: `oci:${layout}` });
    const { digest } = pushed([DEMO], 'team/layout:1');
    assert.equal(digest, artifact.digest);
    const manifest = readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8');
    assert.equal(inspect(registry, 'team/layout:1', '--raw'), manifest);
  });

  test('a second time no blob is sent', async () => {
    pushed([DEMO], 'team/twice:1');
    pushed([DEMO], 'team/twice:2');
    const lines = await answeredFor(registry, 'team/twice', '2', '1');
    const sent = lines.filter((line) => / (PATCH|PUT) /.test(line));
    assert.deepEqual(sent, ['201 PUT /v2/team/twice/manifests/2']);
    // The only upload is the one that shows whether it may be pushed, and it is ended.
    const uploads = lines.filter((line) => / (POST|DELETE) /.test(line)).map((line) => line.slice(0, 10));
    assert.deepEqual(uploads, ['202 POST /', '204 DELETE']);
    // A tag is moved, as docker push moves it.
    const { digest } = pushed([DEMO, '--change', 'USER x'], 'team/twice:2');
    assert.equal(JSON.parse(inspect(registry, 'team/twice:2')).Digest, digest);
  });

  test('a kept base of the same registry is mounted, and one layer goes up', async () => {
    await push(registry, `docker-archive:${DEMO}`, 'base/demo:1');
    pushed([`docker://${registry.host}/base/demo:1`, '--last', '1'], 'team/kept:1');
    const lines = await answeredFor(registry, 'team/kept');
    const mounts = lines.filter((line) => line.includes('mount='));
    assert.equal(mounts.length, 3);
    for (const line of mounts)
      assert.match(
        line,
        /^201 POST \/v2\/team\/kept\/blobs\/uploads\/\?mount=sha256%3A[0-9a-f]{64}&from=base%2Fdemo$/,
      );
    // The new layer and the config.
    assert.equal(lines.filter((line) => line.includes(' PATCH ')).length, 2);
    const layers = (name: string): string[] => JSON.parse(inspect(registry, name)).Layers;
    assert.deepEqual(layers('team/kept:1').slice(0, 3), layers('base/demo:1').slice(0, 3));
    assert.equal(layers('team/kept:1').length, 4);
  });

  test('a kept base of an archive is sent as it is', async (t) => {
    const cwd = scratch(t);
    pushed([DEMO, '--from-layer', '2'], 'team/archive:1');
    const from = `docker://${registry.host}/team/archive:1`;
    assert.deepEqual(lines(await MEMORY.list(from, cwd)), lines(await MEMORY.list(DEMO, cwd)));
    assert.equal(JSON.parse(inspect(registry, 'team/archive:1')).Layers.length, 3);
  });

  test('in place: the tag of the image that was read gets the flat one', async (t) => {
    await push(registry, `docker-archive:${DEMO}`, 'team/place:1');
    const { digest } = pushed([`docker://${registry.host}/team/place:1`], 'team/place:1');
    const { Digest, Layers } = JSON.parse(inspect(registry, 'team/place:1'));
    assert.deepEqual([Digest, Layers.length], [digest, 1]);
    const cwd = scratch(t);
    const from = `docker://${registry.host}/team/place:1`;
    assert.deepEqual(lines(await MEMORY.list(from, cwd)), lines(await MEMORY.list(DEMO, cwd)));
  });

  test('all platforms: an index, by the tag', async (t) => {
    const layout = join(scratch(t), 'multi');
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
    const files = new Map<string, Buffer>();
    const manifests = platforms.map((platform) => {
      const layers = ['shared', platform.architecture].map((path) => ({ tar: archive([{ path }]) }));
      const one = ociFiles(layers, { config: platform, tag: 'it' });
      for (const [path, bytes] of one) files.set(path, bytes);
      return { ...JSON.parse(one.get('index.json')!.toString()).manifests[0], platform };
    });
    files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
    writeFiles(layout, files);
    const { digest } = pushed([layout, '--platform', 'all', '--last', '1'], 'team/multi:1');
    const index = JSON.parse(inspect(registry, 'team/multi:1', '--raw'));
    assert.match(index.mediaType, /image\.index/);
    assert.deepEqual(
      index.manifests.map(({ platform }: { platform: object }) => platform),
      platforms,
    );
    assert.equal(JSON.parse(inspect(registry, `team/multi@${digest}`, '--raw')).manifests.length, 2);
    for (const { architecture } of platforms) {
      const from = `docker://${registry.host}/team/multi:1`;
      const output = join(scratch(t), 'rootfs.tar');
      await flatten({ input: from, platform: `linux/${architecture}`, output });
      const paths = (await MEMORY.list(`rootfs:${output}`, scratch(t))).map(({ path }) => path);
      assert.deepEqual(paths, ['.', architecture, 'shared'].sort());
    }
  });

  test('an image of a root filesystem', async (t) => {
    const rootfs = join(scratch(t), 'rootfs.tar');
    writeFileSync(rootfs, archive([{ path: 'hello', body: Buffer.from('hello') }]));
    const change = ['--change', 'CMD ["/hello"]', '--platform', 'linux/arm64', '--compression', 'zstd'];
    const { digest } = pushed(['import', rootfs, ...change], 'team/made');
    const made = JSON.parse(inspect(registry, 'team/made:latest'));
    assert.deepEqual([made.Digest, made.Architecture], [digest, 'arm64']);
    assert.match(JSON.parse(inspect(registry, 'team/made', '--raw')).layers[0].mediaType, /tar\+zstd$/);
  });

  test('the library: a sink, and one tree for several places', async () => {
    const input = await openImage(DEMO);
    const tree = await input.tree();
    for (const tag of ['a', 'b']) {
      const { digest, reference } = await tree.writeTo(
        image(`docker://${registry.host}/team/library:${tag}`),
      );
      assert.equal(reference, `${registry.host}/team/library:${tag}@${digest}`);
      assert.equal(JSON.parse(inspect(registry, `team/library:${tag}`)).Digest, digest);
    }
    await tree.close();
    await input.close();
  });

  test('an image whose digests are wrong leaves nothing there', async (t) => {
    const layout = join(scratch(t), 'wrong');
    const body = Buffer.from('as it was');
    const layers = [{ tar: archive([{ path: 'a', body }]) }, { tar: archive([{ path: 'b' }]) }];
    const files = ociFiles(layers, { tag: 'it' });
    for (const [path, bytes] of files)
      files.set(path, Buffer.from(bytes.toString('latin1').replace('as it was', 'otherwise'), 'latin1'));
    writeFiles(layout, files);
    const { code, stderr } = run([layout, '-o', `docker://${registry.host}/team/wrong:1`, '--last', '1']);
    assert.equal(code, 1, stderr);
    assert.match(stderr, /digest/i);
    await push(registry, `docker-archive:${DEMO}`, 'team/later:1');
    await answeredFor(registry, 'team/later');
    const lines = registry.answered.filter((line) => line.includes('/team/wrong/'));
    // Whether it may be pushed was asked, and no more.
    assert.deepEqual(
      lines.map((line) => line.slice(0, 10)),
      ['202 POST /', '204 DELETE'],
    );
  });

  test('podman pulls it', { skip: needs('podman', 'root') }, async (t) => {
    pushed([DEMO], 'team/podman:1');
    const { podman } = await ownPodman(t);
    podman('pull', '-q', '--tls-verify=false', `${registry.host}/team/podman:1`);
    const entrypoint = podman(
      'inspect',
      '--format',
      '{{.Config.Entrypoint}}',
      `${registry.host}/team/podman:1`,
    );
    assert.match(entrypoint, /greet/);
  });

  test(
    'Docker pulls it, by its tag and by the name that was told, and runs it',
    { skip: needs(...ENGINE_NEEDS) },
    async (t) => {
      const { reference } = pushed([DEMO], 'team/docker:1');
      const { docker } = await startEngine(t);
      for (const name of [`${registry.host}/team/docker:1`, reference]) docker('pull', '-q', name);
      if (RUNS_DEMO)
        assert.equal(docker('run', '--rm', '--network', 'none', `${registry.host}/team/docker:1`), GREETING);
    },
  );
});

test(
  'a registry that is read-only says so before anything is read',
  { skip: needs('docker-registry') },
  async (t) => {
    const { host } = await startRegistry(t, { isReadOnly: true });
    const { code, stderr } = run(['/nonexistent.tar', '-o', `docker://${host}/team/app:1`]);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`^flatten: error: ${host}/team/app:1: ${host} takes no images`));
    assert.match(stderr, /it is read-only, or a mirror/);
  },
);

for (const login of ['htpasswd', 'token'] as const) {
  suite(`a registry with ${login}`, { skip: needs('docker-registry', 'skopeo', 'openssl') }, () => {
    const end = atEnd(after);
    let registry: TestRegistry;
    before(async () => {
      registry = await startRegistry(end, { login });
      await push(registry, `docker-archive:${DEMO}`, 'base/demo:1');
    });

    test('who has logged in may push; a base is mounted', async (t) => {
      const from = registry.asked.length;
      const args = [
        `docker://${registry.host}/base/demo:1`,
        '-o',
        `docker://${registry.host}/team/app:1`,
        '--last',
        '1',
      ];
      const { code, stderr } = await flattenAs(t, registry, args);
      assert.equal(code, 0, stderr);
      const lines = await answeredFor(registry, 'team/app');
      assert.equal(lines.filter((line) => /^201 POST .*mount=/.test(line)).length, 3);
      if (login === 'htpasswd') return;
      const scopes = registry.asked.slice(from);
      assert.ok(scopes.includes('tester repository:team/app:pull,push'), scopes.join('\n'));
      assert.ok(
        scopes.includes('tester repository:team/app:pull,push repository:base/demo:pull'),
        scopes.join('\n'),
      );
    });

    test('who has not is told how to, before anything is read; so is who has with a wrong password', async (t) => {
      const args = ['/nonexistent.tar', '-o', `docker://${registry.host}/team/app:2`];
      const nobody = await flattenAs(t, { host: registry.host, auth: '' }, args);
      assert.equal(nobody.code, 1);
      assert.match(
        nobody.stderr,
        /team\/app:2: the registry wants credentials, and no credentials were found/,
      );
      assert.match(nobody.stderr, new RegExp(`docker login ${registry.host}`));
      const wrong = { host: registry.host, auth: Buffer.from(`${USER}:not-${PASSWORD}`).toString('base64') };
      const other = await flattenAs(t, wrong, args);
      assert.equal(other.code, 1);
      assert.match(other.stderr, /the registry denies it|were refused/);
      assert.match(other.stderr, /\.docker\/config\.json/);
      assert.match(other.stderr, new RegExp(`docker login ${registry.host}`));
    });
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
    });

    test('it is pushed to once it is trusted, by certs.d or --insecure', async (t) => {
      const args = [DEMO, '-o', `docker://${registry.host}/demo:1`];
      const unknown = await flattenAs(t, registry, args);
      assert.equal(unknown.code, 1);
      assert.match(unknown.stderr, /signed by an authority that is not known here\n.*certs\.d/);
      assert.equal((await flattenAs(t, registry, args, registry.certificates)).code, 0);
      assert.equal((await flattenAs(t, registry, [...args, '--insecure', registry.host])).code, 0);
    });
  },
);
