import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { checkLayout, untar } from './sinks/image/made.js';
import { lines } from './support/listing.js';
import { needs } from './support/needs.js';
import { run } from './support/program.js';
import { scratch } from './support/scratch.js';
import { MEMORY } from './support/sinks.js';
import { archive } from './support/tar.js';

const ROOTFS = archive([
  { path: 'bin/', typeflag: '5', mode: 0o755 },
  { path: 'bin/init', mode: 0o4755, body: Buffer.from('x'), mtime: 1_500_000_000_000_000_000n },
  { path: 'init', typeflag: '1', linkpath: 'bin/init' },
]);

test('a tar, a compressed tar, standard input: one image', async (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'rootfs.tar'), ROOTFS);
  writeFileSync(join(cwd, 'rootfs.tgz'), gzipSync(ROOTFS));
  const digests = ['rootfs.tar', 'rootfs.tgz', '-'].map((rootfs, index) => {
    const args = [
      'import',
      rootfs,
      '-o',
      `oci:${index}:it`,
      '--platform',
      'linux/arm/v7',
      '-c',
      'CMD ["/init"]',
    ];
    const { code, stderr } = run(args, { cwd, ...(rootfs === '-' && { input: ROOTFS }) });
    assert.equal(code, 0, stderr);
    return checkLayout(join(cwd, String(index))).top.digest;
  });
  assert.equal(new Set(digests).size, 1);
  const [image] = checkLayout(join(cwd, '0')).images;
  const { created, architecture, os, variant, config, history } = image!.config as Record<string, unknown>;
  assert.deepEqual([created, architecture, os, variant], ['2017-07-14T02:40:00Z', 'arm', 'linux', 'v7']);
  assert.deepEqual(config, { Cmd: ['/init'] });
  assert.deepEqual(history, [{ created, created_by: 'flatten: a root filesystem' }]);
  assert.deepEqual(
    lines(await MEMORY.list(join(cwd, '0'), cwd)),
    lines(await MEMORY.list(`rootfs:${join(cwd, 'rootfs.tar')}`, cwd)),
  );
});

test('a directory', { skip: needs('root') }, async (t) => {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'rootfs'));
  execFileSync('tar', ['-x', '-C', join(cwd, 'rootfs')], { input: ROOTFS });
  const { code, stderr } = run(['import', 'rootfs', '-o', 'image.tar', '--source-date-epoch', '7'], { cwd });
  assert.equal(code, 0, stderr);
  const image = untar(join(cwd, 'image.tar'), join(cwd, 'image'));
  const [{ Config, RepoTags }] = JSON.parse(readFileSync(join(image, 'manifest.json'), 'utf8'));
  assert.equal(RepoTags, null);
  assert.equal(JSON.parse(readFileSync(join(image, Config), 'utf8')).created, '1970-01-01T00:00:07Z');
  const rows = await MEMORY.list(join(cwd, 'image.tar'), cwd);
  assert.deepEqual(rows.map(({ path, mode, mtime }) => [path, mode, mtime]).sort(), [
    ['.', 0o755, 7_000_000_000n],
    ['bin', 0o755, 0n],
    ['bin/init', 0o4755, 7_000_000_000n],
    ['init', 0o4755, 7_000_000_000n],
  ]);
});

test('an empty archive is the empty image; nothing at all is an error', async (t) => {
  const cwd = scratch(t);
  const made = run(['import', '-', '-o', 'oci:empty'], { cwd, input: archive([]) });
  assert.equal(made.code, 0, made.stderr);
  assert.equal((await MEMORY.list(join(cwd, 'empty'), cwd)).length, 1);
  const nothing = run(['import', '-', '-o', 'oci:nothing'], { cwd, input: Buffer.alloc(0) });
  assert.equal(nothing.code, 1);
  assert.match(nothing.stderr, /standard input: is empty/);
  assert.deepEqual(readdirSync(cwd), ['empty']);
});

test('an output without a transport is an image all the same; - is standard output', (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'rootfs.tar'), ROOTFS);
  assert.equal(run(['import', 'rootfs.tar', '-o', 'layout/'], { cwd }).code, 0);
  checkLayout(join(cwd, 'layout'));
  const { stdout } = run(['import', 'rootfs.tar', '-o', '-'], { cwd });
  writeFileSync(join(cwd, 'image.tar'), stdout);
  assert.ok(readdirSync(untar(join(cwd, 'image.tar'), join(cwd, 'image'))).includes('manifest.json'));
});

test('what is not there, what makes no sense: exit codes and ways on', (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'rootfs.tar'), ROOTFS);
  writeFileSync(join(cwd, 'there.tar'), '');
  for (const [args, expected, message] of [
    [['missing.tar', '-o', 'a.tar'], 1, /missing\.tar: no such file/],
    [['rootfs.tar'], 2, /-o docker-archive:image\.tar:NAME:TAG/],
    [['rootfs.tar', '-o', 'there.tar'], 1, /there\.tar: exists already/],
    [['rootfs.tar', '-o', 'a.tar', '-c', 'CMD'], 2, /--change CMD: has no arguments/],
    [['rootfs.tar', '-o', 'a.tar', '--platform', 'arm'], 2, /platform arm/],
    [['rootfs.tar', '-o', 'a.tar', '--format', 'directory'], 2, /import makes images/],
  ] as const) {
    const { code, stderr } = run(['import', ...args], { cwd });
    assert.equal(code, expected, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, message);
  }
  assert.deepEqual(readdirSync(cwd).sort(), ['rootfs.tar', 'there.tar']);
});
