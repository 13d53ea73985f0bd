import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../src/flatten.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';
import { archive, type Member } from './support/tar.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const CLI = join(PROJECT, 'dist/src/cli.js');

const file = (path: string, body = Buffer.alloc(0)): Member => ({ path, body });

/** Runs the command in `cwd`; gives its exit code and what it said. */
function run(cwd: string, ...args: string[]): [code: number | null, said: string] {
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd, encoding: 'utf8' });
  return [status, stderr];
}

/** An image of a directory that has this config, as a flat archive. */
async function imageWith(
  cwd: string,
  changes: readonly string[],
  files: Record<string, string> = {},
): Promise<string> {
  const members = Object.entries(files).map(([path, text]) => file(path, Buffer.from(text)));
  writeFileSync(join(cwd, 'rootfs.tar'), archive(members));
  const image = join(cwd, 'made.tar');
  await flatten({
    input: join(cwd, 'rootfs.tar'),
    output: `docker-archive:${image}:made:1`,
    image: { changes },
    force: true,
  });
  return image;
}

test('json says what the config says, the user in the numbers of the tree', async (t) => {
  const cwd = scratch(t);
  assert.equal(run(cwd, DEMO, '-o', 'disk.tar', '--config-out', 'app.json', '-q')[0], 0);
  const { digest, ...settings } = JSON.parse(readFileSync(join(cwd, 'app.json'), 'utf8'));
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(settings, {
    version: 1,
    args: ['/usr/bin/greet'],
    entrypoint: ['/usr/bin/greet'],
    cmd: [],
    cwd: '/srv',
    env: ['PATH=/usr/bin'],
    user: { name: 'web', uid: 1000, gid: 1000, groups: [], home: '/srv' },
    exposedPorts: ['8080/tcp'],
    volumes: [],
    labels: { 'org.opencontainers.image.title': 'flatten demo' },
    platform: { os: 'linux', architecture: 'amd64' },
  });
});

test('env is read by a shell as the config means it, quotes, lines and all', async (t) => {
  const cwd = scratch(t);
  const image = await imageWith(
    cwd,
    [`ENV ONE="it's" TWO="a b" THREE="$HOME back\\\\slash" FOUR=`, 'ENV odd.name=5'],
    { a: '' },
  );
  await flatten({
    input: image,
    output: join(cwd, 'a.tar'),
    configOut: [{ path: join(cwd, 'app.env'), format: 'env' }],
  });
  const script = '. ./app.env; printf "%s\\n" "$ONE" "$TWO" "$THREE" "$FOUR" "$PATH"';
  const [one, two, three, four, path] = execFileSync('/bin/sh', ['-ec', script], {
    cwd,
    encoding: 'utf8',
  }).split('\n');
  assert.deepEqual([one, two, three, four], ["it's", 'a b', ' back\\slash', '']);
  assert.equal(path, '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin');
  assert.match(readFileSync(join(cwd, 'app.env'), 'utf8'), /^# odd\.name='5'$/m);
});

test(
  'runc runs the directory with the runtime-spec beside it, as the user of the config',
  {
    skip: needs('root', 'runc', 'busybox'),
  },
  async (t) => {
    const cwd = scratch(t);
    assert.equal(run(cwd, DEMO, '-o', 'rootfs/', '--config-out', 'runtime-spec:config.json', '-q')[0], 0);
    const runc = (directory: string) =>
      spawnSync('runc', ['--root', join(cwd, 'state'), 'run', `flatten-test-${process.pid}`], {
        cwd: directory,
        encoding: 'utf8',
        timeout: 60_000,
      });
    const { stdout, stderr } = runc(cwd);
    assert.equal(stdout, 'hello from one filesystem, made of four layers\n', stderr);

    const changes = [
      'ENTRYPOINT ["/bin/busybox"]',
      'CMD ["sh","-c","id -u; id -g; id -G; pwd; echo $GREETING"]',
    ];
    const more = ['USER app', 'WORKDIR /data/in', 'ENV GREETING="hello there"'];
    const etc = {
      'etc/passwd': 'app:x:7:8::/:/bin/sh\n',
      'etc/group': 'one:x:8:\ntwo:x:9:app\n',
      'data/in/a': '',
    };
    const image = await imageWith(cwd, [...changes, ...more], etc);
    execFileSync('mkdir', ['-p', 'add/bin'], { cwd });
    execFileSync('cp', ['/bin/busybox', 'add/bin/'], { cwd });
    const options = ['--add', 'add', '--config-out', 'runtime-spec:other/config.json'];
    execFileSync('mkdir', [join(cwd, 'other')]);
    assert.equal(run(cwd, image, '-o', 'tree/', ...options, '-q')[0], 0);
    const spec = JSON.parse(readFileSync(join(cwd, 'other/config.json'), 'utf8'));
    assert.equal(spec.root.path, '../tree');
    const second = runc(join(cwd, 'other'));
    assert.equal(second.stdout, '7\n8\n8 9\n/data/in\nhello there\n', second.stderr);
  },
);

test('what is there, or cannot be written, is refused before the image is opened', (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'app.json'), 'mine');
  for (const [options, said] of [
    [['--config-out', 'app.json'], /app\.json: exists already/],
    [['--config-out', 'no/app.json'], /no: the output's directory is not there/],
    [['--config-out', 'b', '--config-out', 'env:b'], /--config-out b: is named twice/],
  ] as const) {
    const [code, message] = run(cwd, 'missing.tar', '-o', 'a.tar', ...options);
    assert.notEqual(code, 0);
    assert.match(message, said);
  }
  assert.equal(readFileSync(join(cwd, 'app.json'), 'utf8'), 'mine');
  assert.equal(run(cwd, DEMO, '-o', 'a.tar', '--config-out', 'app.json', '--force', '-q')[0], 0);
  assert.match(readFileSync(join(cwd, 'app.json'), 'utf8'), /"version": 1/);
  assert.deepEqual(readdirSync(cwd).sort(), ['a.tar', 'app.json']);
});

test('an image whose user is in no file leaves no output; one without a program has no runtime-spec', async (t) => {
  const cwd = scratch(t);
  const ghost = await imageWith(cwd, ['USER ghost', 'CMD ["x"]'], { a: '' });
  const [code, said] = run(cwd, ghost, '-o', 'a.tar', '--config-out', 'app.json');
  assert.equal(code, 1);
  assert.match(said, /run as ghost, and etc\/passwd of the tree has no user ghost/);
  const idle = await imageWith(cwd, [], { a: '' });
  assert.match(
    run(cwd, idle, '-o', 'a.tar', '--config-out', 'runtime-spec:app.json')[1],
    /names no program to run/,
  );
  assert.ok(!existsSync(join(cwd, 'a.tar')) && !existsSync(join(cwd, 'app.json')));
  assert.equal(run(cwd, idle, '-o', 'a.tar', '--config-out', 'app.json', '-q')[0], 0);
});

test('a root filesystem has no config', (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'rootfs.tar'), archive([file('a')]));
  const [code, said] = run(cwd, 'rootfs.tar', '-o', 'b.tar', '--config-out', 'app.json');
  assert.equal(code, 2);
  assert.match(said, /--config-out app\.json: rootfs\.tar has no config/);
});
