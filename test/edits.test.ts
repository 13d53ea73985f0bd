import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten, planDisk } from '../src/index.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

/** GNU tar's listing of an archive: mode, owner, day, name. */
function listing(tar: string): string[] {
  const env = { ...process.env, TZ: 'UTC', LC_ALL: 'C' };
  const text = execFileSync('tar', ['--numeric-owner', '-tvf', tar], { encoding: 'utf8', env });
  return text
    .trimEnd()
    .split('\n')
    .map((line) => line.replace(/ +\d+ (\d{4}-\d\d-\d\d) \d\d:\d\d/, ' $1'));
}

test('include, exclude, mkdir and add edit the tree, in this order', { skip: needs('tar') }, async (t) => {
  const cwd = scratch(t);
  const host = join(cwd, 'host');
  mkdirSync(join(host, 'sub'), { recursive: true });
  writeFileSync(join(host, 'motd'), 'welcome\n');
  chmodSync(join(host, 'motd'), 0o600);
  symlinkSync('motd', join(host, 'sub/ping'));
  for (const path of ['motd', 'sub']) utimesSync(join(host, path), 1e9, 1e9);
  const output = join(cwd, 'flat.tar');
  await flatten({
    input: DEMO,
    output,
    include: ['etc', '/usr/bin', 'bin'],
    exclude: ['etc/conf.d', '**/ping'],
    mkdir: [{ path: '/data/deep', mode: 0o1770 }],
    add: [
      { directory: host, path: 'etc' },
      { directory: join(host, 'sub'), path: '/bin/' },
    ],
    sourceDateEpoch: 1_600_000_000,
  });
  assert.deepEqual(listing(output), [
    'drwxr-xr-x 0/0 1970-01-01 ./',
    'lrwxrwxrwx 0/0 2020-09-13 bin -> usr/bin',
    'drwxr-xr-x 0/0 1970-01-01 data/',
    'drwxrwx--T 0/0 2020-09-13 data/deep/',
    'drwxr-xr-x 0/0 2020-09-13 etc/',
    '-rw------- 0/0 2001-09-09 etc/motd',
    '-rw-r--r-- 0/0 2020-09-13 etc/os-release',
    '-rw-r--r-- 0/0 2020-09-13 etc/passwd',
    '-rw-r----- 0/42 2020-09-13 etc/shadow',
    'drwxr-xr-x 0/0 2001-09-09 etc/sub/',
    'lrwxrwxrwx 0/0 2020-09-13 etc/sub/ping -> motd',
    'drwxr-xr-x 0/0 2020-09-13 usr/',
    'drwxr-xr-x 0/0 2020-09-13 usr/bin/',
    '-rwxr-xr-x 0/0 2020-09-13 usr/bin/greet',
    'lrwxrwxrwx 0/0 2020-09-13 usr/bin/ping -> motd',
    '-rwsr-xr-x 0/0 2020-09-13 usr/bin/su',
    '-rwxr-xr-x 0/0 2020-09-13 usr/bin/which',
  ]);
});

test('a directory never takes the place of anything else, or the other way round', async (t) => {
  const cwd = scratch(t);
  const host = join(cwd, 'host');
  const add = (path: string) => ({ add: [{ directory: host, path }] });
  for (const [make, options, message] of [
    [
      (at: string) => mkdirSync(join(at, 'os-release')),
      add('etc'),
      /etc\/os-release: is a file in the image, and what is added a directory$/,
    ],
    [
      (at: string) => writeFileSync(join(at, 'etc'), ''),
      add(''),
      /: etc: is a directory in the image, and what is added a file$/,
    ],
    [
      (at: string) => symlinkSync('x', join(at, 'etc')),
      add(''),
      /: etc: is a directory in the image, and what is added a symlink$/,
    ],
    [
      (at: string) => writeFileSync(join(at, 'x'), ''),
      add('etc/passwd'),
      /: etc\/passwd: is a file in the image, and what is added a directory$/,
    ],
    [
      () => {},
      { mkdir: [{ path: 'etc/passwd' }] },
      /\{mkdir: etc\/passwd\}: etc\/passwd is a file in the image$/,
    ],
    [
      () => {},
      { mkdir: [{ path: '/bin', mode: 0o700 }] },
      /\{mkdir: \/bin\}: is a symlink in the image, and has no mode$/,
    ],
  ] as const) {
    mkdirSync(host);
    make(host);
    const output = join(cwd, 'out.tar');
    await assert.rejects(flatten({ input: DEMO, output, ...options }), { code: 'USAGE', message, hint: /./ });
    rmSync(host, { recursive: true });
  }
  assert.deepEqual(readdirSync(cwd), []);
});

test('what is in the way can be left out first; links to directories are followed', async (t) => {
  const cwd = scratch(t);
  const host = join(cwd, 'host');
  mkdirSync(join(host, 'bin'), { recursive: true });
  writeFileSync(join(host, 'bin/new'), '');
  mkdirSync(join(host, 'etc/os-release'), { recursive: true });
  const output = join(cwd, 'out.tar');
  const add = [{ directory: host, path: '' }];
  await flatten({ input: DEMO, output, exclude: ['/etc/os-release'], add, mkdir: [{ path: 'bin' }] });
  const names = execFileSync('tar', ['-tf', output], { encoding: 'utf8' }).split('\n');
  for (const name of ['bin', 'usr/bin/new', 'etc/os-release/']) assert.ok(names.includes(name), name);
});

test('hard links in an added directory stay links', async (t) => {
  const cwd = scratch(t);
  const host = join(cwd, 'host');
  mkdirSync(host);
  writeFileSync(join(host, 'a'), 'one inode');
  execFileSync('ln', [join(host, 'a'), join(host, 'b')]);
  const output = join(cwd, 'flat.tar');
  await flatten({ input: DEMO, output, include: ['nothing'], add: [{ directory: host, path: 'x' }] });
  assert.match(execFileSync('tar', ['-tvf', output], { encoding: 'utf8' }), /x\/b link to x\/a/);
});

test(
  'hard links that are added through a symlink of the image find what is added with them',
  { skip: needs('cp') },
  async (t) => {
    const cwd = scratch(t);
    const [host, rootfs] = [join(cwd, 'host'), join(cwd, 'rootfs')];
    for (const path of [host, join(rootfs, 'usr/bin')]) mkdirSync(path, { recursive: true });
    symlinkSync('usr/bin', join(rootfs, 'bin'));
    for (const [directory, bytes] of [
      [join(rootfs, 'usr/bin'), 'old'],
      [host, 'new busybox'],
    ] as const) {
      writeFileSync(join(directory, 'busybox'), bytes);
      for (const name of ['cat', 'ls', 'sh']) linkSync(join(directory, 'busybox'), join(directory, name));
    }
    const output = join(cwd, 'out');
    await flatten({ input: rootfs, output: `${output}/`, add: [{ directory: host, path: 'bin' }] });
    execFileSync('cp', ['-a', `${host}/.`, join(rootfs, 'bin')]);
    const seen = (root: string) =>
      readdirSync(join(root, 'bin')).map((name) => {
        const { ino, nlink } = statSync(join(root, 'bin', name));
        return [
          name,
          readFileSync(join(root, 'bin', name), 'utf8'),
          nlink,
          ino === statSync(join(root, 'usr/bin/sh')).ino,
        ];
      });
    assert.deepEqual(seen(output), seen(rootfs));
    assert.deepEqual(seen(output)[0], ['busybox', 'new busybox', 4, true]);
  },
);

test('two names of one added file that become one name in the image are that one file', async (t) => {
  const cwd = scratch(t);
  const [host, rootfs] = [join(cwd, 'host'), join(cwd, 'rootfs')];
  for (const path of [join(host, 'lib'), join(host, 'lib64'), join(rootfs, 'lib')])
    mkdirSync(path, { recursive: true });
  symlinkSync('lib', join(rootfs, 'lib64'));
  writeFileSync(join(host, 'lib/ld.so'), 'loader');
  linkSync(join(host, 'lib/ld.so'), join(host, 'lib64/ld.so'));
  const output = join(cwd, 'out');
  await flatten({ input: rootfs, output: `${output}/`, add: [{ directory: host, path: '/' }] });
  assert.equal(readFileSync(join(output, 'lib64/ld.so'), 'utf8'), 'loader');
  assert.equal(statSync(join(output, 'lib/ld.so')).nlink, 1);
});

test('a directory that is not there cannot be added, and nothing appears', async (t) => {
  const cwd = scratch(t);
  const add = [{ directory: join(cwd, 'missing'), path: '' }];
  await assert.rejects(flatten({ input: DEMO, output: join(cwd, 'x.tar'), add }), { code: 'NOT_FOUND' });
  assert.deepEqual(readdirSync(cwd), []);
});

test(
  'the plan of a disk image says the size that it gets, and writes nothing',
  {
    skip: needs('mke2fs'),
  },
  async (t) => {
    const cwd = scratch(t);
    const options = { input: DEMO, output: join(cwd, 'disk.img'), disk: { free: 2 ** 20 } };
    const plan = await planDisk(options);
    assert.ok(!existsSync(options.output));
    assert.ok(plan.freeBlocks >= 256);
    const { artifact } = await flatten(options);
    assert.equal(artifact.bytes, plan.bytes);
    await assert.rejects(planDisk({ ...options, output: join(cwd, 'x.tar') }), { code: 'USAGE' });
  },
);
