/** Root filesystem tars as GNU tar writes them, judged by what it unpacks. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { listDirectory } from './support/list-directory.js';
import { lines } from './support/listing.js';
import { needs } from './support/needs.js';
import { run } from './support/program.js';
import { scratch } from './support/scratch.js';
import { archive, type Member } from './support/tar.js';

const skip = needs('root', 'tar', 'getfattr');

/** A directory `from` with a file, a directory that others may not enter, and a file in it. */
function workplace(t: TestContext): string {
  const cwd = scratch(t);
  mkdirSync(join(cwd, 'from/d'), { recursive: true, mode: 0o755 });
  writeFileSync(join(cwd, 'from/a'), 'content');
  writeFileSync(join(cwd, 'from/d/b'), 'below');
  execFileSync('chmod', ['0700', join(cwd, 'from/d')]);
  return cwd;
}

/** Packs with GNU tar, and gives flatten's warnings where it unpacks the same as GNU tar. */
function unpacked(cwd: string, options: string[], paths: string[]): string[] {
  execFileSync('tar', ['-cf', 'x.tar', ...options, '-C', 'from', ...paths], { cwd });
  mkdirSync(join(cwd, 'tar'));
  execFileSync('tar', ['-xpf', '../x.tar'], { cwd: join(cwd, 'tar') });
  const { code, stderr } = run(['x.tar', '-o', 'ours/'], { cwd });
  assert.equal(code, 0, stderr);
  const listing = (name: string) => lines(listDirectory(join(cwd, name)).filter(({ path }) => path !== '.'));
  assert.deepEqual(listing('ours'), listing('tar'));
  return stderr.split('\n').filter((line) => line.includes('warning'));
}

test('a file that tar was told of twice is a hard link to itself, and stays what it is', { skip }, (t) => {
  const cwd = workplace(t);
  execFileSync('ln', ['-s', 'a', 'l'], { cwd: join(cwd, 'from') });
  assert.deepEqual(unpacked(cwd, [], ['./a', './l', './a', 'a', './l', './d', './d/b']), []);
  assert.match(execFileSync('tar', ['-tvf', 'x.tar'], { cwd, encoding: 'utf8' }), / a link to \.\/a/);
  assert.equal(statSync(join(cwd, 'ours/a')).nlink, 1);
});

test('a link to itself where nothing is, or a directory, is an error all the same', (t) => {
  const cwd = scratch(t);
  for (const members of [
    [{ path: 'a', typeflag: '1', linkpath: './a' }],
    [
      { path: 'a', typeflag: '5' },
      { path: 'a', typeflag: '1', linkpath: 'a' },
    ],
  ] satisfies Member[][]) {
    writeFileSync(join(cwd, 'x.tar'), archive(members));
    const { code, stderr } = run(['x.tar', '-o', 'ours/'], { cwd });
    assert.equal(code, 1);
    assert.match(stderr, /x\.tar: a: the hard link to "\.?\/?a" links to itself/);
  }
});

for (const format of ['gnu', 'posix']) {
  test(`the label of an archive (${format}) is skipped`, { skip }, (t) => {
    const warnings = unpacked(workplace(t), [`--format=${format}`, '-V', 'my label'], ['.']);
    // In PAX it is a record of the archive, and no entry.
    assert.equal(warnings.length, format === 'gnu' ? 1 : 0);
    if (format === 'gnu') assert.match(warnings[0]!, /x\.tar: the label of the archive is skipped/);
  });

  test(`the directories of an incremental backup (${format}) are directories`, { skip }, (t) => {
    const cwd = workplace(t);
    const options = [`--format=${format}`, `--listed-incremental=${join(cwd, 'snapshot')}`];
    const warnings = unpacked(cwd, options, ['.']);
    assert.equal(warnings.length, format === 'gnu' ? 1 : 0);
    if (format === 'gnu')
      assert.match(warnings[0]!, /incremental backup: the lists of names in 2 directories are skipped/);
  });

  test(`a volume that is not the first (${format}) is an error`, { skip }, (t) => {
    const cwd = workplace(t);
    writeFileSync(join(cwd, 'from/large'), Buffer.alloc(30_000, 'x'));
    const volumes = ['-f', 'one.tar', '-f', 'two.tar', '-f', 'three.tar'];
    execFileSync('tar', ['-cM', '-L', '20', `--format=${format}`, ...volumes, '-C', 'from', 'large'], {
      cwd,
    });
    const first = run(['rootfs:one.tar', '-o', 'out/'], { cwd });
    assert.match(first.stderr, /one\.tar: large: the body is cut short/);
    const second = run(['rootfs:two.tar', '-o', 'out/'], { cwd });
    assert.match(second.stderr, /two\.tar: .*it continues in another volume of its archive/);
    assert.deepEqual([first.code, second.code], [1, 1]);
  });
}

test('in a root filesystem devices 0:0 and the xattrs of overlayfs are what they are', (t) => {
  const cwd = scratch(t);
  const members: Member[] = [
    { path: 'd/', typeflag: '5', xattrs: new Map([['trusted.overlay.opaque', Buffer.from('y')]]) },
    { path: 'd/gone', typeflag: '3', major: 0, minor: 0 },
  ];
  writeFileSync(join(cwd, 'x.tar'), archive(members));
  assert.equal(run(['x.tar', '-o', 'y.tar', '--quiet'], { cwd }).code, 0);
  const { code, stdout } = run(['verify', 'y.tar', 'x.tar', '--json'], { cwd });
  assert.equal(code, 0, String(stdout));
  const refused = run(['x.tar', '-o', 'oci:layout'], { cwd });
  assert.match(
    refused.stderr,
    /d\/gone: a layer cannot hold this character device 0:0.*\n.*--exclude 'd\/gone'/,
  );
  const written = run(['x.tar', '-o', 'oci:layout', '--exclude', 'gone'], { cwd });
  assert.equal(written.code, 0, written.stderr);
  assert.match(written.stderr, /not held: xattr of 1 \(first: d\): trusted\.overlay/);
  const strict = run(['x.tar', '-o', 'oci:other', '--exclude', 'gone', '--strict'], { cwd });
  assert.equal(strict.code, 1, strict.stderr);
  const read = run(['oci:layout', '-o', 'z.tar'], { cwd });
  assert.doesNotMatch(read.stderr, /warning/);
});
