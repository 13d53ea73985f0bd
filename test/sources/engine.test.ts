/** Images in running engines, as inputs: real ones, and servers that do what real ones do when they fail. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { flatten } from '../../src/flatten.js';
import { DEMO } from '../sinks/image/made.js';
import { ENGINE_NEEDS, startEngine } from '../support/docker.js';
import { setEnvironment } from '../support/environment.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { ownPodman } from '../support/podman.js';
import { CLI, run, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { MEMORY } from '../support/sinks.js';
import { archive } from '../support/tar.js';
import { open, put, session } from './opening.js';

/** No engine is chosen, and none is found by accident. */
const NOWHERE = {
  DOCKER_HOST: undefined,
  DOCKER_CONTEXT: undefined,
  DOCKER_CONFIG: '/nonexistent',
  CONTAINER_HOST: undefined,
  XDG_RUNTIME_DIR: undefined,
};

async function sameAsDemo(t: TestContext, input: string): Promise<void> {
  const directory = scratch(t);
  assert.deepEqual(lines(await MEMORY.list(input, directory)), lines(await MEMORY.list(DEMO, directory)));
}

test(
  'Docker: by name, tag and id, one image of several of that name',
  { skip: needs(...ENGINE_NEEDS) },
  async (t) => {
    const { docker, host } = await startEngine(t);
    setEnvironment(t, { DOCKER_HOST: host });
    docker('load', '-i', DEMO);
    const other = put(t, archive([{ path: 'other' }]), 'rootfs.tar');
    await flatten({ input: other, rootfsOnly: true, output: 'docker-daemon:flatten/demo:2' });
    const id = docker('inspect', '--format', '{{.Id}}', 'flatten/demo').trim();
    for (const name of [
      'flatten/demo',
      'flatten/demo:latest',
      id,
      `@${id}`,
      id.slice(7, 20),
      id.slice(0, 20),
    ])
      await sameAsDemo(t, `docker-daemon:${name}`);
    assert.equal((await open(t, 'docker-daemon:flatten/demo')).name, 'flatten/demo:latest');
    assert.deepEqual(
      (await MEMORY.list('docker-daemon:flatten/demo:2', scratch(t))).map(({ path }) => path),
      ['.', 'other'],
    );
    await assert.rejects(open(t, 'docker-daemon:flatten/demo:3'), {
      code: 'NOT_FOUND',
      message: 'docker-daemon:flatten/demo:3: the engine has no such image',
      hint: 'it has:\n  flatten/demo:2\n  flatten/demo:latest',
    });
    await assert.rejects(open(t, 'docker-daemon:flaten/demo'), { code: 'NOT_FOUND', hint: /flatten\/demo:/ });
    await assert.rejects(open(t, 'docker-daemon:quite/other'), {
      code: 'NOT_FOUND',
      hint: /docker image ls/,
    });
  },
);

test(
  'the program: from an engine to a tar, and compared with what is in the engine',
  { skip: needs(...ENGINE_NEEDS) },
  async (t) => {
    const { docker, host } = await startEngine(t);
    docker('load', '-i', DEMO);
    const [cwd, env] = [scratch(t), { DOCKER_HOST: host }];
    assert.equal(run(['docker-daemon:flatten/demo', '-o', 'flat.tar'], { cwd, env }).code, 0);
    assert.deepEqual(readdirSync(cwd), ['flat.tar']);
    const { code, stderr } = run(['verify', 'docker-daemon:flatten/demo', 'flat.tar'], { cwd, env });
    assert.equal(code, 0, stderr);
    const imported = run(['import', 'docker-daemon:flatten/demo', '-o', 'x.tar'], { cwd, env });
    assert.match(imported.stderr, /is an image, and a root filesystem is wanted here/);
  },
);

test(
  'podman: at its socket without root, by CONTAINER_HOST, by DOCKER_HOST, and by its command',
  { skip: needs('podman', 'root') },
  async (t) => {
    const { podman, serve, storage } = await ownPodman(t);
    podman('load', '-i', DEMO);
    const runtime = scratch(t);
    const socket = join(runtime, 'podman/podman.sock');
    const bin = scratch(t);
    const real = spawnSync('sh', ['-c', 'command -v podman'], { encoding: 'utf8' }).stdout.trim();
    writeFileSync(join(bin, 'podman'), `#!/bin/sh\nexec ${real} ${storage.join(' ')} "$@"\n`, {
      mode: 0o755,
    });
    setEnvironment(t, { ...NOWHERE, PATH: bin });
    await sameAsDemo(t, 'docker-daemon:flatten/demo');
    await assert.rejects(open(t, 'docker-daemon:flatten/demo:3'), {
      code: 'NOT_FOUND',
      hint: 'it has:\n  localhost/flatten/demo:latest',
    });
    setEnvironment(t, { PATH: `${bin}-none` });
    await assert.rejects(open(t, 'docker-daemon:flatten/demo'), {
      code: 'TOOL',
      message: /no engine answers/,
    });
    setEnvironment(t, { PATH: dirname(real) });
    await serve(socket);
    for (const way of [
      { XDG_RUNTIME_DIR: runtime },
      { CONTAINER_HOST: `unix://${socket}` },
      { DOCKER_HOST: `unix://${socket}` },
    ]) {
      setEnvironment(t, { ...NOWHERE, ...way });
      await sameAsDemo(t, 'docker-daemon:flatten/demo');
    }
  },
);

test(
  'a context of Docker leads to its engine; DOCKER_HOST comes first',
  { skip: needs(...ENGINE_NEEDS) },
  async (t) => {
    const { docker, host } = await startEngine(t);
    docker('load', '-i', DEMO);
    const config = scratch(t);
    setEnvironment(t, { ...NOWHERE, DOCKER_CONFIG: config });
    const context = (...args: string[]) => assert.equal(spawnSync('docker', ['context', ...args]).status, 0);
    context('create', 'here', '--docker', `host=${host}`);
    setEnvironment(t, { DOCKER_CONTEXT: 'here' });
    await sameAsDemo(t, 'docker-daemon:flatten/demo');
    setEnvironment(t, { DOCKER_CONTEXT: undefined });
    context('use', 'here');
    // No docker command that knows of contexts.
    setEnvironment(t, { PATH: '/nonexistent' });
    await sameAsDemo(t, 'docker-daemon:flatten/demo');
    setEnvironment(t, { DOCKER_HOST: `unix://${join(config, 'no.sock')}` });
    await assert.rejects(open(t, 'docker-daemon:flatten/demo'), {
      code: 'TOOL',
      message: /no\.sock \(DOCKER_HOST\)/,
    });
    setEnvironment(t, { DOCKER_HOST: undefined, DOCKER_CONTEXT: 'gone' });
    await assert.rejects(open(t, 'docker-daemon:flatten/demo'), {
      code: 'TOOL',
      message: /Docker's context gone\): no/,
    });
  },
);

test(
  'a socket that this user may not use is named',
  { skip: needs(...ENGINE_NEEDS, 'setpriv') },
  async (t) => {
    const { host } = await startEngine(t);
    chmodSync(dirname(host.slice('unix://'.length)), 0o755);
    const cwd = scratch(t);
    chmodSync(cwd, 0o777);
    const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CLI];
    const env = { ...process.env, DOCKER_HOST: host, TMPDIR: cwd };
    const { stderr } = spawnSync('setpriv', [...drop, 'docker-daemon:x', '-o', 'x.tar'], {
      cwd,
      env,
      encoding: 'utf8',
    });
    assert.match(stderr, /docker\.sock: permission denied\n {2}.*sudo usermod -aG docker/);
  },
);

/** A server that answers as an engine with an image `app:1`, and with `save` when that is asked for. */
async function scripted(t: TestContext, save: RequestListener): Promise<{ host: string; asked: string[] }> {
  const socket = join(scratch(t), 'engine.sock');
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url!, 'http://engine');
    asked.push(request.url!);
    if (pathname.endsWith('/get')) save(request, response);
    else if (pathname.endsWith('/json') && pathname !== '/images/json')
      response.end(JSON.stringify({ Id: `sha256:${'ab'.repeat(32)}`, RepoTags: ['app:1'] }));
    else response.end('OK');
  });
  server.listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `unix://${socket}`, asked };
}

test('an engine that breaks off, complains at the end, or sends something else', async (t) => {
  const saved = readFileSync(DEMO);
  const cases: [save: RequestListener, expected: object][] = [
    [
      (_, response) => {
        response.write(saved.subarray(0, 20_000));
        response.write(saved.subarray(20_000, 30_000), () => response.destroy());
      },
      { code: 'TOOL', message: /^docker-daemon:app:1: the engine: broke off before the image was whole/ },
    ],
    [
      (_, response) => {
        response.write(saved.subarray(0, 20_480));
        setImmediate(() =>
          response.end('{"errorDetail":{},"error":"content digest sha256:ab: not found"}\r\n'),
        );
      },
      { code: 'TOOL', message: /the engine: content digest sha256:ab: not found$/, hint: /docker pull/ },
    ],
    [
      (_, response) => {
        response.statusCode = 500;
        response.end('{"message":"storage \\u001b[31mis broken"}');
      },
      { code: 'TOOL', message: 'the engine: storage \\x1b[31mis broken' },
    ],
    [
      (_, response) => response.end(archive([{ path: 'bin/sh' }])),
      { code: 'BAD_IMAGE', message: 'docker-daemon:app:1: what the engine sent is no image' },
    ],
  ];
  for (const [save, expected] of cases) {
    const { host } = await scripted(t, save);
    setEnvironment(t, { DOCKER_HOST: host });
    await assert.rejects(open(t, 'docker-daemon:app:1'), expected);
  }
});

test('the platform that is asked for is told to the engine', async (t) => {
  const { host, asked } = await scripted(t, (_, response) => response.end(readFileSync(DEMO)));
  setEnvironment(t, { DOCKER_HOST: host });
  await open(t, 'docker-daemon:app:1', { platform: { os: 'linux', architecture: 'amd64' } });
  const { searchParams, pathname } = new URL(asked.at(-1)!, 'http://engine');
  assert.equal(pathname, '/images/app:1/get');
  assert.deepEqual(JSON.parse(searchParams.get('platform')!), { os: 'linux', architecture: 'amd64' });
});

test('an engine that stalls: an interrupt ends the run, and nothing stays', async (t) => {
  let hear = () => {};
  const begun = new Promise<void>((resolve) => {
    hear = resolve;
  });
  const { host } = await scripted(t, (_, response) => {
    response.write(readFileSync(DEMO).subarray(0, 20_480), hear);
  });
  const cwd = scratch(t);
  const env = { ...process.env, DOCKER_HOST: host };
  const child = start(['docker-daemon:app:1', '-o', 'flat.tar'], { cwd, env });
  await begun;
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 130);
  assert.deepEqual(readdirSync(cwd), []);
});

test('the bytes that may be unpacked are bounded while they arrive', async (t) => {
  const { host } = await scripted(t, (_, response) => {
    const zeros = archive([{ path: 'blobs/x', body: Buffer.alloc(4 << 20) }]);
    const more = () => {
      if (!response.destroyed) response.write(zeros.subarray(0, 1 << 20), () => setImmediate(more));
    };
    response.write(zeros.subarray(0, 512), more);
  });
  setEnvironment(t, { DOCKER_HOST: host });
  const context = session(t, { limits: { maxSize: 2 << 20, maxEntries: 1000, named: ['maxSize'] } });
  await assert.rejects(open(t, 'docker-daemon:app:1', {}, context), { code: 'LIMIT' });
});

/** What the program says of a bare name, with this engine or none. */
async function saidOf(name: string, DOCKER_HOST: string, args: readonly string[]): Promise<string> {
  const child = start(args, { env: { ...process.env, DOCKER_HOST, DOCKER_CONTEXT: undefined } });
  const [stderr] = await Promise.all([child.stderr!.toArray(), once(child, 'close')]);
  assert.equal(child.exitCode, 1);
  const [error, ...hints] = Buffer.concat(stderr).toString().trimEnd().split('\n');
  assert.equal(error, `flatten: error: ${name}: no such file or directory`);
  return hints.map((line) => line.trim()).join('\n');
}

test('a bare name that is no file: the command for a registry, and for an engine that has it', async (t) => {
  const { host } = await scripted(t, (_, response) => response.end());
  const cwd = scratch(t);
  const out = join(cwd, 'x.tar');
  assert.equal(
    await saidOf('app:1', host, ['-o', out, 'app:1', '--exclude', '*.pyc']),
    [
      `if it is an image of a registry: flatten -o ${out} docker://app:1 --exclude '*.pyc'`,
      `as a running engine has it: flatten -o ${out} docker-daemon:app:1 --exclude '*.pyc'`,
    ].join('\n'),
  );
  const none = `unix://${join(cwd, 'none.sock')}`;
  assert.equal(
    await saidOf('ghcr.io/a/b:1', none, ['ghcr.io/a/b:1', '-o', out]),
    `if it is an image of a registry: flatten docker://ghcr.io/a/b:1 -o ${out}`,
  );
});

test('an engine that does not answer holds no error up', async (t) => {
  const socket = join(scratch(t), 'engine.sock');
  const server = createServer(() => {});
  server.listen(socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const hint = await saidOf('app', `unix://${socket}`, ['app', '-o', join(scratch(t), 'x.tar')]);
  assert.match(hint, /^if it is an image of a registry: flatten docker:\/\/app -o \S+$/);
});
