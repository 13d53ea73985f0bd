/** Mirrors of registries.conf: two real registries, of which one has less, and one that is not there. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, suite, type TestContext, test } from 'node:test';
import { atEnd } from '../support/at-end.js';
import { setEnvironment } from '../support/environment.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { PASSWORD, push, startRegistry, type TestRegistry } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { blobOf, scripted } from '../support/scripted-registry.js';
import { open, paths, session } from './opening.js';

const DEMO = `docker-archive:${join(PROJECT, 'test/images/demo.tar')}`;

/** Sets registries.conf for this process and those that it starts. */
function configure(t: TestContext, text: string): string {
  const file = join(scratch(t), 'registries.conf');
  writeFileSync(file, text);
  setEnvironment(t, { CONTAINERS_REGISTRIES_CONF: file });
  return file;
}

function table(prefix: string, location: string, ...mirrors: readonly string[]): string {
  const inner = mirrors.map((mirror) => `[[registry.mirror]]\nlocation = "${mirror}"\ninsecure = true\n`);
  return `[[registry]]\nprefix = "${prefix}"\nlocation = "${location}"\n${inner.join('')}`;
}

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`;

suite('two registries', { skip: needs('docker-registry', 'skopeo', 'openssl') }, () => {
  const end = atEnd(after);
  let mirror: TestRegistry;
  let origin: TestRegistry;
  before(async () => {
    [mirror, origin] = await Promise.all([
      startRegistry(end, { tls: true }),
      startRegistry(end, { login: 'htpasswd' }),
    ]);
    await push(mirror, DEMO, 'copies/team/demo:1');
    await push(origin, DEMO, 'team/demo:1');
    await push(origin, DEMO, 'team/other:1');
  });

  test('the mirror is asked first, then the location, with the credentials of each', async (t) => {
    const conf = configure(t, table('registry.example', origin.host, 'localhost:1', `${mirror.host}/copies`));
    const auth = join(scratch(t), 'auth.json');
    writeFileSync(auth, JSON.stringify({ auths: { [origin.host]: { auth: origin.auth } } }));
    const registries = { authfile: auth };
    const context = session(t);
    const image = await open(t, 'docker://registry.example/team/demo:1', {}, context, { registries });
    assert.equal(image.name, 'registry.example/team/demo:1');
    assert.deepEqual(context.warnings, [
      `localhost:1: nobody answers there; going on with ${mirror.host}/copies/team/demo:1`,
    ]);
    const other = session(t);
    await open(t, 'docker://registry.example/team/other:1', {}, other, { registries });
    assert.equal(other.warnings.length, 2, other.warnings.join('\n'));
    assert.match(other.warnings[1]!, /copies\/team\/other:1: is not in the registry .*; going on with 127/);
    assert.ok(!other.warnings.join().includes(PASSWORD));

    const from = ['--registries-conf', conf, '--insecure-policy', 'inspect', '--raw', '--authfile', auth];
    for (const [name, found] of [
      ['team/demo:1', `${mirror.host}/copies/team/demo:1`],
      ['team/other:1', `${origin.host}/team/other:1`],
    ]) {
      const args = ['--debug', ...from, '--tls-verify=false', `docker://registry.example/${name}`];
      const { stderr, stdout } = spawnSync('skopeo', args, { encoding: 'utf8', timeout: 60_000 });
      const tried = [...stderr.matchAll(/Trying to access \\"(.*?)\\"/g)].map(([, place]) => place);
      assert.equal(tried.at(-1), found);
      if (name === 'team/demo:1') assert.equal(digestOf(stdout), image.digest);
    }
  });

  test('an error names all that were asked; the same by the command, which writes nothing', async (t) => {
    configure(t, table('registry.example', origin.host, 'localhost:1', `${mirror.host}/copies`));
    const cwd = scratch(t);
    mkdirSync(join(cwd, 'home'));
    const { code, stderr } = run(['docker://registry.example/team/none:1', '-o', 'x.tar'], {
      cwd,
      env: { HOME: join(cwd, 'home'), XDG_RUNTIME_DIR: cwd, FLATTEN_CACHE: 'none' },
    });
    assert.equal(code, 1);
    const error = stderr.split('\n').find((line) => line.startsWith('flatten: error: '))!;
    assert.match(error, /team\/none:1: .* wants credentials/);
    assert.match(error, /\(before: localhost:1: nobody .*; .*copies\/team\/none:1: is not in the registry/);
    assert.equal(stderr.match(/warning/g)?.length, 2, stderr);
  });

  test('what is blocked is not asked for, and a broken file stops before any registry', async (t) => {
    const conf = configure(t, `[[registry]]\nlocation = "${mirror.host}/copies"\nblocked = true\n`);
    const name = `docker://${mirror.host}/copies/team/demo:1`;
    await assert.rejects(open(t, name), { code: 'DENIED', hint: `${conf}:1 blocks ${mirror.host}/copies` });
    writeFileSync(conf, '[[registry]]\nlocation = \n');
    await assert.rejects(open(t, name), { code: 'USAGE', message: new RegExp(`^${conf}:2: is no TOML`) });
  });

  test('the cache knows digests, not places', async (t) => {
    const cache = { path: join(scratch(t), 'cache'), size: 1e9 };
    configure(t, table('registry.example', mirror.host, `${mirror.host}/copies`));
    const registries = { insecure: [mirror.host] };
    const first = session(t, { cache });
    const image = await open(t, 'docker://registry.example/team/demo:1', {}, first, { registries });
    await paths(image, first);
    configure(t, '');
    const by = `docker://nowhere.invalid/any@${image.digest}`;
    assert.deepEqual(
      await paths(await open(t, by, {}, session(t, { cache })), session(t)),
      await paths(image, first),
    );
  });
});

test('a blob goes on at the next place where a mirror breaks it off', async (t) => {
  const { bytes, descriptor } = blobOf(3 << 20);
  const begun = await scripted(t, (_, response, path) => {
    if (!path.includes('/blobs/')) return;
    response.writeHead(200, { 'content-length': bytes.length });
    response.write(bytes.subarray(0, 1 << 20), () => response.destroy());
  });
  const whole = await scripted(t, ({ headers }, response, path) => {
    if (!path.includes('/blobs/')) return;
    const [, from = '0'] = /bytes=(\d+)-/.exec(headers.range ?? '') ?? [];
    response.writeHead(206, { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` });
    response.end(bytes.subarray(Number(from)));
  });
  configure(t, table('registry.example', whole.host, begun.host));
  const { openMirrored } = await import('../../src/registry/open.js');
  const context = session(t);
  const reference = { host: 'registry.example', repository: 'app', tag: '1' };
  const repository = await openMirrored(reference, {}, context);
  t.after(() => void repository.close());
  const chunks: Uint8Array[] = [];
  for await (const chunk of await repository.fetchBlob(descriptor, { signal: context.signal }))
    chunks.push(chunk);
  assert.ok(Buffer.concat(chunks).equals(bytes));
  assert.match(context.warnings.at(-1)!, /^127.*; going on with 127/);
  assert.ok(
    whole.asked.some((line) => /blobs\/sha256:\S+ bytes=[1-9]/.test(line)),
    whole.asked.join('\n'),
  );
});
