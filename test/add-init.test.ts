import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { flatten } from '../src/flatten.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const CLI = join(PROJECT, 'dist/src/cli.js');
const DEMO = join(PROJECT, 'test/images/demo.tar');
/** What a script runs: the files say nothing, since nobody runs them here. */
const PROGRAMS = ['sh', 'mount', 'mkdir', 'ln', 'env', 'chown', 'setpriv'];

function run(cwd: string, ...args: string[]): { code: number | null; said: string } {
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { cwd, encoding: 'utf8' });
  return { code: status, said: stderr };
}

/** A directory with these programs in `bin`, each a file that can be run. */
function programs(cwd: string, name: string, names: readonly string[], text = 'a program'): string {
  const bin = join(cwd, name, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const each of names) {
    writeFileSync(join(bin, each), text);
    chmodSync(join(bin, each), 0o755);
  }
  return join(cwd, name);
}

async function imageWith(t: TestContext, names: readonly string[], changes: readonly string[]) {
  const cwd = scratch(t);
  const image = join(cwd, 'image.tar');
  const input = programs(cwd, 'bare', names);
  await flatten({ input, output: `docker-archive:${image}:it:1`, image: { changes } });
  return cwd;
}

/** The script in a flat tar. */
const scriptIn = (cwd: string, tar: string, path = 'sbin/flatten-init') =>
  execFileSync('tar', ['-xOf', tar, path], { cwd, encoding: 'utf8' });

test('a tree without a shell, or without one of the programs, is refused before anything is written', async (t) => {
  const cwd = scratch(t);
  assert.deepEqual(run(cwd, DEMO, '-o', 'disk.img', '--add-init'), {
    code: 1,
    said:
      'flatten: error: the tree lacks programs to start it with: a shell, mount, mkdir, ln, env, chown\n' +
      '  a static busybox has all of them: put it alone in a directory, and add that: --add DIR:bin\n',
  });
  assert.deepEqual(readdirSync(cwd), []);
  const other = await imageWith(t, ['sh', 'mkdir', 'ln'], ['CMD ["x"]']);
  assert.match(run(other, 'image.tar', '-o', 'a.tar', '--add-init').said, /start it with: mount, env\n/);
  assert.match(run(other, 'image.tar', '-o', 'a.tar', '--config-out', 'init:a').said, /: mount, env\n/);
  assert.deepEqual(readdirSync(other).sort(), ['bare', 'image.tar']);
});

test('a user whom nothing in the tree can become is refused', async (t) => {
  const cwd = await imageWith(t, PROGRAMS.slice(0, -1), ['USER 1000:5', 'CMD ["x"]']);
  const { code, said } = run(cwd, 'image.tar', '-o', 'a.tar', '--add-init');
  assert.equal(code, 1);
  assert.match(said, /nothing in the tree can become the user 1000:5, who the config says/);
  assert.deepEqual(readdirSync(cwd).sort(), ['bare', 'image.tar']);
});

test('busybox is as good as the programs that it has, and no better', async (t) => {
  const cwd = await imageWith(t, [], ['USER 1000:5', 'CMD ["x"]']);
  const applets = (...names: string[]) => `BusyBox v1\0${names.join('\0')}\0`;
  const usual = ['sh', 'mount', 'mkdir', 'ln', 'env', 'chown', 'su', 'setpriv', 'chroot'];
  programs(cwd, 'without', ['busybox'], applets(...usual));
  programs(cwd, 'with', ['busybox'], applets(...usual, 'chpst'));
  // Its setpriv and chroot cannot change the user, whatever they are called by.
  for (const name of ['setpriv', 'chroot']) symlinkSync('busybox', join(cwd, 'without/bin', name));
  const { said } = run(cwd, 'image.tar', '-o', 'a.tar', '--add-init', '--add', 'without');
  assert.match(said, /nothing in the tree can become the user 1000:5/);
  assert.equal(run(cwd, 'image.tar', '-o', 'a.tar', '--add-init', '--add', 'with', '-q').code, 0);
  const script = scriptIn(cwd, 'a.tar');
  assert.match(script, /^#!\/bin\/busybox sh\n/);
  assert.match(script, /^ {2}exec \/bin\/busybox chpst -u 1000:5 \/bin\/busybox env -i -- /m);
});

test('the same script everywhere: in a tar, a disk image, an image, and beside the output', async (t) => {
  const cwd = await imageWith(t, PROGRAMS, ['USER 7', 'WORKDIR /new/dir', 'VOLUME /var/data', 'CMD ["x"]']);
  const options = ['--add-init', '-q', '--config-out', 'init:start.sh', '-f'];
  assert.equal(run(cwd, 'image.tar', '-o', 'a.tar', ...options).code, 0);
  const script = scriptIn(cwd, 'a.tar');
  assert.equal(readFileSync(join(cwd, 'start.sh'), 'utf8'), script);
  assert.equal(spawnSync('sh', ['-n', join(cwd, 'start.sh')]).status, 0);
  assert.equal(run(cwd, 'image.tar', '-o', 'b.tar', ...options).code, 0);
  assert.ok(readFileSync(join(cwd, 'a.tar')).equals(readFileSync(join(cwd, 'b.tar'))));

  assert.equal(run(cwd, 'image.tar', '-o', 'disk.erofs', '--add-init', '-q').code, 0);
  assert.equal(run(cwd, 'verify', 'disk.erofs', 'image.tar', '--add-init').code, 0);
  assert.equal(run(cwd, 'verify', 'disk.erofs', 'image.tar').code, 1);
  assert.equal(run(cwd, 'image.tar', '-o', 'oci:layout:1', '--add-init', '-q').code, 0);
  assert.equal(run(cwd, 'verify', 'disk.erofs', 'oci:layout:1').code, 0);

  const names = execFileSync('tar', ['-tvf', 'a.tar'], { cwd, encoding: 'utf8' });
  for (const made of ['proc', 'sys', 'dev', 'run', 'var/data', 'new/dir'])
    assert.match(names, new RegExp(`^drwxr-xr-x 0/0 .* ${made}/$`, 'm'));
  assert.match(names, /^drwxrwxrwt 0\/0 .* tmp\/$/m);
  assert.match(names, /^-rwxr-xr-x 0\/0 .* sbin\/flatten-init$/m);
});

test('on a read-only root, what is below a directory that is written to is there', async (t) => {
  const cwd = await imageWith(t, [...PROGRAMS, 'cp'], ['WORKDIR /tmp/deep', 'VOLUME /data', 'CMD ["x"]']);
  assert.equal(run(cwd, 'image.tar', '-o', 'a.tar', '--add-init', '-q').code, 0);
  const script = scriptIn(cwd, 'a.tar');
  assert.match(script, /cp -a '\/tmp'\/\. \/dev\/\.new\/ /);
  assert.doesNotMatch(script, /cp -a '\/(run|data)'/);
});

test('it goes where it is told, in place of what is there, though not of what it runs itself', async (t) => {
  const cwd = await imageWith(t, [...PROGRAMS, 'init'], ['CMD ["x"]']);
  const into = (path: string) => run(cwd, 'image.tar', '-o', 'a.tar', '-f', '-q', `--add-init=${path}`);
  assert.equal(into('/bin/init').code, 0);
  assert.match(scriptIn(cwd, 'a.tar', 'bin/init'), /^#!\/bin\/sh\n/);
  assert.match(into('/bin/sh').said, /--add-init \/bin\/sh: is a program that the script runs itself/);
  assert.match(into('/bin').said, /is a directory in the image, and what is added a file/);
  for (const [path, what] of [
    ['init', /--add-init init: is no absolute path of a file/],
    ['/sbin/', /is no absolute path of a file/],
    ['/../init', /is no path in the image/],
    ['/run/init', /something is mounted there when a machine starts/],
  ] as const) {
    const { code, said } = run(cwd, 'missing.tar', '-o', 'b.tar', `--add-init=${path}`);
    assert.equal(code, 2);
    assert.match(said, what);
  }
});

test('what a config says stays a word, and what no word can be is refused', async (t) => {
  const hostile = ["'; touch /x; '", '$(touch /x)', '`touch /x`', 'two\nlines', '\\'];
  const changes = [`CMD ${JSON.stringify(['x', ...hostile])}`];
  const cwd = await imageWith(t, PROGRAMS, changes);
  assert.equal(run(cwd, 'image.tar', '-o', 'a.tar', '--add-init', '-q').code, 0);
  const line = /exec (\/bin\/env -i -- .*?)\n\) &/s.exec(scriptIn(cwd, 'a.tar'))?.[1];
  // The shell that reads it back, with a program in place of env that prints its last words.
  const words = line!.replace('/bin/env -i --', 'set --');
  const printed = execFileSync('sh', ['-c', `${words}; shift 2; for word; do printf '%s|' "$word"; done`]);
  assert.equal(String(printed), ['x', ...hostile, ''].join('|'));

  for (const [program, what] of [
    ['a\0b', /a\\x00b: no program can be given a NUL/],
    ['a=b', /the config's program, 'a=b', has a name that env cannot run/],
  ] as const) {
    const other = await imageWith(t, PROGRAMS, [`CMD ${JSON.stringify([program])}`]);
    const { code, said } = run(other, 'image.tar', '-o', 'a.tar', '--add-init');
    assert.equal(code, 1);
    assert.match(said, what);
  }
});

test('an image full of users and volumes is answered: of the names of one number few are looked at', async (t) => {
  const cwd = await imageWith(t, [], ['CMD ["x"]']);
  const many = 20_000;
  const passwd = Array.from({ length: many }, (_, index) => `user${index}:x:1:1::/:/x`).join('\n');
  const volumes = JSON.stringify(Array.from({ length: many }, (_, index) => `/data/${index}`));
  const busybox = `BusyBox v1\0${['sh', 'mount', 'mkdir', 'ln', 'env', 'chown', 'su'].join('\0')}\0`;
  programs(cwd, 'bare', ['busybox'], busybox);
  mkdirSync(join(cwd, 'bare/etc'));
  writeFileSync(join(cwd, 'bare/etc/passwd'), passwd);
  writeFileSync(join(cwd, 'bare/etc/group'), `more:x:5:user${many - 1}\n`);
  const changes = [`USER user${many - 1}`, `VOLUME ${volumes}`, 'CMD ["x"]'];
  const image = join(cwd, 'full.tar');
  await flatten({ input: join(cwd, 'bare'), output: `docker-archive:${image}:it:1`, image: { changes } });
  const { said } = run(cwd, 'full.tar', '-o', 'a.tar', '--add-init');
  assert.match(said, /nothing in the tree can become the user 1:1:5/);
});

test('nothing is started without a config, or without a program in it', async (t) => {
  const cwd = await imageWith(t, PROGRAMS, []);
  assert.match(run(cwd, 'image.tar', '-o', 'a.tar', '--add-init').said, /the config names no program to run/);
  const { code, said } = run(cwd, 'bare', '-o', 'a.tar', '--add-init');
  assert.equal(code, 2);
  assert.match(
    said,
    /--add-init: .*bare.* has no config, which says what is started\n {2}give it one first: flatten import/,
  );
  assert.deepEqual(readdirSync(cwd).sort(), ['bare', 'image.tar']);
});
