/** What is written, judged by those who take images: Docker, podman, skopeo, umoci. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { put } from '../../sources/opening.js';
import { ENGINE_NEEDS, RUNS_DEMO, startEngine } from '../../support/docker.js';
import { lines } from '../../support/listing.js';
import { needs } from '../../support/needs.js';
import { CLI, run as program } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { MEMORY } from '../../support/sinks.js';
import { archive } from '../../support/tar.js';
import { DEMO, GREETING, squash } from './made.js';

const skip = needs(...ENGINE_NEEDS);
const quietly = { stdio: 'pipe', encoding: 'utf8' } as const;

/** Has `run` work in an environment where DOCKER_HOST is `host`. */
async function withHost(t: TestContext, host: string, run: () => Promise<unknown>): Promise<void> {
  const { DOCKER_HOST } = process.env;
  const restore = () => {
    if (DOCKER_HOST === undefined) delete process.env.DOCKER_HOST;
    else process.env.DOCKER_HOST = DOCKER_HOST;
  };
  t.after(restore);
  process.env.DOCKER_HOST = host;
  await run();
  restore();
}

test('Docker loads every form of archive, and runs a container of each', { skip }, async (t) => {
  const directory = scratch(t);
  const { docker, host } = await startEngine(t);
  const forms: [name: string, options: Parameters<typeof squash>[1]][] = [
    ['plain', {}],
    ['v1', { format: 'docker-archive-v1' }],
    ['gzip', { image: { compression: 'gzip' } }],
    ['zstd', { image: { compression: 'zstd' } }],
    ['kept', { image: { fromLayer: '2' } }],
    ['kept-v1', { format: 'docker-archive-v1', image: { last: 1 } }],
  ];
  for (const [name, options] of forms) {
    const path = join(directory, `${name}.tar`);
    const { artifact } = await squash(`docker-archive:${path}:demo:${name}`, options);
    docker('load', '-i', path);
    if (!name.endsWith('v1')) {
      const id = docker('inspect', '--format', '{{.Id}}', `demo:${name}`).trim();
      assert.equal(id, artifact.digest);
    }
    if (!RUNS_DEMO) continue;
    assert.equal(docker('run', '--rm', '--network', 'none', `demo:${name}`), GREETING, name);
  }
  await withHost(t, host, () => squash('docker-daemon:straight/in:1'));
  if (RUNS_DEMO) assert.equal(docker('run', '--rm', '--network', 'none', 'straight/in:1'), GREETING);
});

test('what Docker saves of a squashed image is that image; its config is unchanged', { skip }, async (t) => {
  const directory = scratch(t);
  const { docker } = await startEngine(t);
  const [flat, saved] = [join(directory, 'flat.tar'), join(directory, 'saved.tar')];
  docker('load', '-i', DEMO);
  const configOf = (name: string) => JSON.parse(docker('inspect', '--format', '{{json .Config}}', name));
  await squash(`docker-archive:${flat}:flat`);
  docker('load', '-i', flat);
  const { Image: _, ...before } = configOf('flatten/demo');
  const { Image: __, ...after } = configOf('flat');
  assert.deepEqual(after, before);
  docker('save', 'flat', '-o', saved);
  assert.deepEqual(lines(await MEMORY.list(saved, directory)), lines(await MEMORY.list(DEMO, directory)));
});

test('a kept base is shared in the engine', { skip }, async (t) => {
  const directory = scratch(t);
  const { docker } = await startEngine(t);
  docker('load', '-i', DEMO);
  const path = join(directory, 'kept.tar');
  await squash(`docker-archive:${path}:kept`, { image: { last: 1 } });
  docker('load', '-i', path);
  const layers = (name: string) => JSON.parse(docker('inspect', '--format', '{{json .RootFS.Layers}}', name));
  assert.deepEqual(layers('kept').slice(0, 3), layers('flatten/demo').slice(0, 3));
  const [exported, flat] = ['exported.tar', 'flat.tar'].map((name) => join(directory, name));
  const container = docker('create', 'kept').trim();
  docker('export', container, '-o', exported!);
  await squash(flat!);
  assert.deepEqual(await names(exported!, directory), await names(flat!, directory));
});

/** The names in a root filesystem, without those that an engine mounts things on. */
async function names(rootfs: string, directory: string): Promise<string[]> {
  const rows = await MEMORY.list(`rootfs:${rootfs}`, directory);
  return rows
    .map(({ path }) => path)
    .filter((path) => !/^(\.dockerenv|dev|proc|sys|etc\/(host.*|resolv.conf|mtab))(\/|$)/.test(path))
    .sort();
}

test('an image of nothing, and one of a program', { skip }, async (t) => {
  const { docker, host } = await startEngine(t);
  const empty = put(t, archive([]), 'empty.tar');
  const rootfs = join(scratch(t), 'rootfs.tar');
  await squash(rootfs);
  const env = { DOCKER_HOST: host };
  const change = ['-c', 'ENTRYPOINT ["/usr/bin/greet"]', '-c', 'LABEL a=b'];
  for (const args of [
    ['import', empty, '-o', 'docker-daemon:empty:1', '--platform', 'linux/amd64'],
    ['import', '-', '-o', 'docker-daemon:made:1', ...change, '-m', 'from a tar'],
  ]) {
    const input = args[1] === '-' ? { input: readFileSync(rootfs) } : {};
    const { code, stderr } = program(args, { env, ...input });
    assert.equal(code, 0, stderr);
  }
  assert.equal(
    docker('inspect', '--format', '{{len .RootFS.Layers}} {{.Os}}/{{.Architecture}}', 'empty:1'),
    '1 linux/amd64\n',
  );
  assert.equal(
    docker('inspect', '--format', '{{.Comment}} {{.Config.Labels.a}}', 'made:1'),
    'from a tar b\n',
  );
  if (RUNS_DEMO) assert.equal(docker('run', '--rm', '--network', 'none', 'made:1'), GREETING);
});

test('an engine that refuses an image says why', { skip }, async (t) => {
  const { host } = await startEngine(t);
  const rootfs = put(t, archive([{ path: 'dev/null', typeflag: '3', major: 1, minor: 3 }]), 'rootfs.tar');
  const input = `rootfs:${rootfs}`;
  await withHost(t, host, () =>
    assert.rejects(squash('docker-daemon:other:1', { input, platform: 'windows/amd64' }), {
      code: 'TOOL',
      message: /^the engine: .*windows/i,
    }),
  );
});

test('no engine: an error before anything is read, with ways on', async (t) => {
  await withHost(t, `unix://${join(scratch(t), 'no.sock')}`, () =>
    assert.rejects(squash('docker-daemon:app:1'), {
      code: 'TOOL',
      message: /no\.sock \(DOCKER_HOST\): no engine answers$/,
      hint: /docker-archive:/,
    }),
  );
});

/** Puts a `docker` on PATH that keeps what it is to load, or fails. */
function fakeDocker(t: TestContext, load: string): string {
  const directory = scratch(t);
  const script = `#!/bin/sh\ncase $1 in info) exit 0 ;; load) cat >"${directory}/loaded"; ${load} ;; esac\n`;
  writeFileSync(join(directory, 'docker'), script, { mode: 0o755 });
  const { PATH } = process.env;
  process.env.PATH = `${directory}:${PATH}`;
  t.after(() => {
    process.env.PATH = PATH;
  });
  return join(directory, 'loaded');
}

test('the docker command is used where only it knows the way', async (t) => {
  const loaded = fakeDocker(t, 'exit 0');
  const file = join(scratch(t), 'image.tar');
  await squash(`docker-archive:${file}:app:1`);
  await withHost(t, 'ssh://far.away', () => squash('docker-daemon:app:1'));
  assert.ok(readFileSync(loaded).equals(readFileSync(file)));
});

test('what the docker command complains of is in the error', async (t) => {
  fakeDocker(t, 'echo no space left >&2; exit 1');
  await withHost(t, 'ssh://far.away', () =>
    assert.rejects(squash('docker-daemon:app:1'), {
      code: 'TOOL',
      message: /^docker load failed: no space left$/,
    }),
  );
});

test('an engine that knows no zstd, or no such platform: the hint says what to type', { skip }, async (t) => {
  const { docker, host } = await startEngine(t);
  const [major] = docker('version', '--format', '{{.Server.Version}}').split('.');
  await withHost(t, host, async () => {
    const zstd = squash('docker-daemon:demo:zstd', { image: { compression: 'zstd' } });
    if (Number(major) >= 23) await zstd;
    else
      await assert.rejects(zstd, {
        code: 'TOOL',
        hint: 'Docker before 23 knows no zstd: {compression: gzip}',
      });
    await squash('docker-daemon:demo:gzip', { image: { compression: 'gzip' } });
    const rootfs = put(t, archive([{ path: 'x' }]), 'rootfs.tar');
    await assert.rejects(squash('docker-daemon:x:y', { input: rootfs, platform: 'windows/amd64' }), {
      code: 'TOOL',
      hint: /docker version --format .*\n.*\{platform: OS\/ARCH\}$/,
    });
  });
});

test(
  'a socket that this user may not use is named, with the way to it',
  { skip: needs('root', 'dockerd', 'docker', 'setpriv') },
  async (t) => {
    const { host } = await startEngine(t);
    const socket = host.slice('unix://'.length);
    chmodSync(dirname(socket), 0o755);
    const place = scratch(t);
    chmodSync(place, 0o777);
    copyFileSync(DEMO, join(place, 'image.tar'));
    const drop = ['--reuid=65534', '--regid=65534', '--clear-groups', process.execPath, CLI];
    const env = { ...process.env, DOCKER_HOST: host, TMPDIR: place };
    const { status, stderr } = spawnSync('setpriv', [...drop, 'image.tar', '-o', 'docker-daemon:x:y'], {
      cwd: place,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      /docker\.sock: permission denied\n {2}.*sudo usermod -aG docker "\$USER", and log in again\n.*sudo/,
    );
  },
);

test('known complaints of engines have a hint', async (t) => {
  for (const [said, hint] of [
    ['write /var/x: no space left on device', /docker system prune/],
    ['max depth exceeded', /leave out \{last\} and \{fromLayer\}/],
    ['potentially insufficient UIDs or GIDs available in user namespace', /\/etc\/subuid/],
    ['Cannot connect to the Docker daemon', /systemctl status docker/],
    ['invalid reference format: repository name must be lowercase', /docker-daemon:app:1\.0/],
  ] as const) {
    fakeDocker(t, `echo '${said}' >&2; exit 1`);
    await withHost(t, 'ssh://far.away', () =>
      assert.rejects(squash('docker-daemon:app:1'), { code: 'TOOL', hint }),
    );
  }
});

test('podman loads the archives', { skip: needs('podman', 'root') }, async (t) => {
  const directory = scratch(t);
  const storage = [
    '--root',
    join(directory, 'root'),
    '--runroot',
    join(directory, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const podman = (...args: string[]) => execFileSync('podman', [...storage, ...args], quietly);
  for (const [output, name] of [
    ['docker-archive', 'localhost/demo:plain'],
    ['oci-archive', 'localhost/demo:oci'],
  ] as const) {
    const path = join(directory, `${output}.tar`);
    await squash(`${output}:${path}:${name}`);
    assert.match(podman('load', '-i', path), new RegExp(name));
    assert.match(podman('inspect', '--format', '{{.Config.Entrypoint}}', name), /\/usr\/bin\/greet/);
  }
});

test('skopeo copies between all forms and inspects each', { skip: needs('skopeo') }, async (t) => {
  const directory = scratch(t);
  const skopeo = (...args: string[]) => execFileSync('skopeo', ['--insecure-policy', ...args], quietly);
  const place = (form: string, name: string) => `${form}:${join(directory, name)}:demo:1`;
  const expected = lines(await MEMORY.list(DEMO, directory));
  for (const form of ['docker-archive', 'oci-archive', 'oci']) {
    for (const options of [{}, { image: { compression: 'gzip' } }, { image: { last: 2 } }]) {
      const made = `${form}-${Object.values(options.image ?? {}).join('')}`;
      await squash(place(form, made), options);
      const inspected = JSON.parse(skopeo('inspect', place(form, made)));
      assert.equal(inspected.Labels['org.opencontainers.image.title'], 'flatten demo');
      assert.equal(inspected.Layers.length, 'last' in (options.image ?? {}) ? 3 : 1);
      for (const other of ['docker-archive', 'oci-archive', 'oci']) {
        const copy = place(other, `${made}-as-${other}`);
        skopeo('copy', place(form, made), copy);
        assert.deepEqual(lines(await MEMORY.list(copy, directory)), expected, copy);
      }
    }
  }
});
