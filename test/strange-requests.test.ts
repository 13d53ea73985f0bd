/** What people type by mistake, and must not lose anything by. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { needs } from './support/needs.js';
import { CLI, run } from './support/program.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

/** A directory with the demo image in it. */
function workplace(t: TestContext): string {
  const cwd = scratch(t);
  copyFileSync(join(PROJECT, 'test/images/demo.tar'), join(cwd, 'image.tar'));
  return cwd;
}

test('a directory is not replaced with what is read from it, or with the one it is run in', (t) => {
  const cwd = workplace(t);
  mkdirSync(join(cwd, 'self/below'), { recursive: true });
  writeFileSync(join(cwd, 'self/a'), 'a');
  copyFileSync(join(cwd, 'image.tar'), join(cwd, 'self/image.tar'));
  symlinkSync('self', join(cwd, 'link'));
  for (const args of [
    ['self', '-o', 'self/'],
    ['link', '-o', 'self/'],
    ['rootfs:self', '-o', './self'],
    ['self/below', '-o', 'self/'],
    ['self/image.tar', '-o', 'self/'],
    ['image.tar', '-o', '.'],
    ['image.tar', '-o', 'self/', '--add', 'self/below'],
  ]) {
    const { code, stderr } = run([...args, '--force'], { cwd });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(
      stderr,
      /is the input, or a part of it, and is not replaced|would be replaced, and .* is in it/,
    );
  }
  assert.deepEqual(readdirSync(join(cwd, 'self')).sort(), ['a', 'below', 'image.tar']);
  assert.equal(run(['self', '-o', 'self/below/'], { cwd }).code, 0);
});

test(
  'a disk image, and zeros with something behind them, are no root filesystem',
  { skip: needs('mke2fs', 'zstd') },
  (t) => {
    const cwd = workplace(t);
    assert.equal(run(['image.tar', '-o', 'disk.img', '-q'], { cwd }).code, 0);
    execFileSync('zstd', ['-q', 'disk.img', '-o', 'packed.img.zst'], { cwd });
    const zeros = Buffer.alloc((1 << 20) + 512);
    writeFileSync(join(cwd, 'zeros'), zeros.fill('x', 1 << 20));
    writeFileSync(join(cwd, 'empty.tar'), Buffer.alloc(10_240));
    for (const args of [
      ['disk.img', '-o', 'out.tar'],
      ['import', 'disk.img', '-o', 'out.tar'],
      ['packed.img.zst', '-o', 'out.tar'],
      ['verify', 'packed.img.zst', 'image.tar'],
      ['zeros', '-o', 'out.tar'],
      ['rootfs:zeros', '-o', 'out.tar'],
    ]) {
      const { code, stderr } = run(args, { cwd });
      assert.equal(code, 1, args.join(' '));
      assert.match(stderr, /no tar|neither an image nor a tar/);
    }
    assert.match(run(['rootfs:disk.img', '-o', 'out.tar'], { cwd }).stderr, /no tar, but a disk image/);
    assert.equal(run(['empty.tar', '-o', 'out.tar'], { cwd }).code, 0);
  },
);

test('a root filesystem that ends in the middle of nowhere is warned of', (t) => {
  const cwd = workplace(t);
  assert.equal(run(['image.tar', '-o', 'whole.tar', '-q'], { cwd }).code, 0);
  const whole = readFileSync(join(cwd, 'whole.tar'));
  writeFileSync(join(cwd, 'cut.tar'), whole.subarray(0, 5000));
  assert.match(
    run(['cut.tar', '-o', 'a/'], { cwd }).stderr,
    /warning: cut\.tar: the archive has no end: it may be cut/,
  );
  assert.doesNotMatch(run(['whole.tar', '-o', 'b/'], { cwd }).stderr, /warning/);
});

test('a digest file that exists is not replaced without force', (t) => {
  const cwd = workplace(t);
  writeFileSync(join(cwd, 'out.tar.sha256'), 'mine');
  const refused = run(['image.tar', '-o', 'out.tar', '--sha256'], { cwd });
  assert.match(refused.stderr, /out\.tar\.sha256: exists already/);
  assert.deepEqual(readdirSync(cwd).sort(), ['image.tar', 'out.tar.sha256']);
  assert.equal(run(['image.tar', '-o', 'out.tar', '--sha256', '--force'], { cwd }).code, 0);
  execFileSync('sha256sum', ['--quiet', '-c', 'out.tar.sha256'], { cwd });
  const stale = run(['image.tar', '-o', 'out.tar', '--exclude', 'etc', '--force'], { cwd });
  assert.match(stale.stderr, /warning: out\.tar\.sha256: is of the output before/);
});

test('outputs below a file, and names too long, are errors in words', (t) => {
  const cwd = workplace(t);
  for (const output of ['image.tar/x.tar', 'image.tar/x/', `${'a'.repeat(259)}.tar`]) {
    const { code, stderr } = run(['image.tar', '-o', output], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /cannot be written/);
    assert.doesNotMatch(stderr, /bug|mkdir/);
  }
});

test('a mode of five digits is one, and 999 is none', (t) => {
  const cwd = workplace(t);
  assert.equal(run(['image.tar', '-o', 'a/', '--mkdir', '/tmp/sticky:01777', '-q'], { cwd }).code, 0);
  assert.equal(statSync(join(cwd, 'a/tmp/sticky')).mode & 0o7777, 0o1777);
  for (const mode of ['999', '17777'])
    assert.equal(run(['image.tar', '-o', 'b/', '--mkdir', `/x:${mode}`], { cwd }).code, 2);
});

test('globs that mean nothing are warned of', (t) => {
  const cwd = workplace(t);
  const { stderr } = run(
    ['image.tar', '-o', 'a.tar', '--include', 'etc', '--include', 'nosuch', '--exclude', '*.none'],
    { cwd },
  );
  const warnings = stderr.split('\n').filter((line) => line.includes('nothing has such a path'));
  assert.deepEqual(
    warnings.map((line) => line.split(': ')[2]),
    ['--include nosuch', '--exclude *.none'],
  );
});

test('JSON that nobody can read is a failure; SOURCE_DATE_EPOCH may be empty', (t) => {
  const cwd = workplace(t);
  const command = `"${process.execPath}" "${CLI}" image.tar -o a.tar --json >/dev/full`;
  assert.throws(
    () => execFileSync('/bin/sh', ['-c', command], { cwd, stdio: 'pipe' }),
    /standard output: ENOSPC/,
  );
  const env = { SOURCE_DATE_EPOCH: '' };
  assert.equal(run(['image.tar', '-o', 'b.tar'], { cwd, env }).code, 0);
});

test(
  'unmount takes away what mount has mounted, and nothing else',
  { skip: needs('root', 'mke2fs', 'mount') },
  (t) => {
    const cwd = workplace(t);
    assert.equal(run(['image.tar', '-o', 'disk.img', '-q'], { cwd }).code, 0);
    const point = join(cwd, 'mount point');
    mkdirSync(point);
    assert.match(run(['unmount', point], { cwd }).stderr, /nothing is mounted there/);
    execFileSync('mount', ['-t', 'tmpfs', 'none', point]);
    const foreign = run(['unmount', point], { cwd });
    execFileSync('umount', [point]);
    assert.match(foreign.stderr, /is no disk image/);
    assert.equal(run(['mount', 'disk.img', point], { cwd }).code, 0);
    const { code, stderr } = run(['unmount', point], { cwd });
    if (code !== 0) execFileSync('umount', [point]);
    assert.equal(code, 0, stderr);
  },
);

test('a glob that makes no sense is refused before the image is looked for', (t) => {
  const cwd = workplace(t);
  for (const glob of ['', '/', 'a'.repeat(5000)]) {
    const { code, stderr } = run(['nowhere.tar', '-o', 'a.tar', '--exclude', glob], { cwd });
    assert.equal(code, 2, stderr);
    assert.match(stderr, /the glob .*: (names nothing|has 5000 bytes, and no path more than 4095)/);
  }
});

test('setuid is kept in directories only', (t) => {
  const cwd = workplace(t);
  const { code, stderr } = run(['image.tar', '-o', 'a.tar', '--keep-setuid'], { cwd });
  assert.equal(code, 2);
  assert.match(stderr, /--keep-setuid: only for directories, and the output is tar/);
  assert.equal(run(['image.tar', '-o', 'a/', '--keep-setuid'], { cwd }).code, 0);
});
