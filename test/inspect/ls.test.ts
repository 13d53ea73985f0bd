/** `flatten ls`, as people type it. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ociFiles, writeFiles } from '../support/image.js';
import { sha256 } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { CLI, run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { archive, type Member } from '../support/tar.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

function ls(...args: string[]): string[] {
  const { code, stdout, stderr } = run(['ls', ...args]);
  assert.equal(code, 0, stderr);
  return stdout.toString('latin1').split('\n').slice(0, -1);
}

const names = (lines: readonly string[]) => lines.map((line) => line.split(' ').at(-1));

/** An OCI layout of layers of these members. */
function layout(t: Parameters<typeof scratch>[0], ...layers: Member[][]): string {
  const directory = join(scratch(t), 'layout');
  writeFiles(directory, ociFiles(layers.map((members) => ({ tar: archive(members) }))));
  return directory;
}

test('columns have the width of what is in them, and each line the whole path', () => {
  assert.deepEqual(ls(DEMO, 'srv', 'usr/bin/su'), [
    '-rw-r--r-- 1 1000:1000  14 2024-02-29 12:00 srv/index.html',
    'lrwxrwxrwx 1       0:0   0 2024-02-29 12:00 srv/latest -> index.html',
    '-rwsr-xr-x 1       0:0 172 2024-02-29 12:00 usr/bin/su',
  ]);
});

test('paths: the root, directories, links with a slash and without, globs', () => {
  assert.deepEqual(names(ls(DEMO)), ['usr/bin', 'etc', 'srv', 'tmp', 'usr', 'var']);
  assert.deepEqual(ls(DEMO, '/'), ls(DEMO));
  assert.deepEqual(names(ls(DEMO, '/etc/')), names(ls(DEMO, 'etc')));
  assert.deepEqual(names(ls(DEMO, 'bin')), ['usr/bin']);
  assert.deepEqual(names(ls(DEMO, 'bin/')), ['bin/greet', 'bin/ping', 'bin/su', 'bin/which']);
  assert.deepEqual(names(ls(DEMO, 'bin/su')), ['bin/su']);
  assert.deepEqual(names(ls(DEMO, '*.txt')), names(ls(DEMO, 'usr/share/doc')));
  assert.deepEqual(names(ls(DEMO, 'etc/*')), names(ls(DEMO, 'etc')), 'a glob means what it finds');
  assert.deepEqual(names(ls(DEMO, '-d', '.', 'etc')), ['.', 'etc']);
  assert.equal(ls(DEMO, '-R').length, 26);
  assert.equal(ls(DEMO, '-R', 'et*').length, 6);
});

test('a name that has the letters of a glob is found as it is written', (t) => {
  const image = layout(t, [{ path: 'a[b]' }, { path: 'ab' }]);
  assert.deepEqual(names(ls(image, 'a[b]')), ['a[b]']);
  assert.deepEqual(names(ls(image, 'a[bc]')), ['ab']);
});

test('--layers and --layer: which layer each name comes from, and the state after one', (t) => {
  const image = layout(
    t,
    [{ path: 'd', typeflag: '5' }, { path: 'd/a' }, { path: 'd/b' }],
    [{ path: 'd/a', mode: 0o600 }],
    [{ path: 'd', typeflag: '5', mode: 0o700 }, { path: 'd/.wh.b' }],
  );
  const layers = (...args: string[]) =>
    ls(image, '-R', '--layers', ...args).map((line) => `${line[0]} ${line.split(' ').at(-1)}`);
  assert.deepEqual(layers(), ['3 d', '2 d/a']);
  assert.deepEqual(layers('--layer', '2'), ['1 d', '2 d/a', '1 d/b']);
  assert.deepEqual(layers('--layer', '1'), ['1 d', '1 d/a', '1 d/b']);
  const through = layout(t, [{ path: 'd/a' }], [{ path: 'l', typeflag: '2', linkpath: 'd' }]);
  assert.match(ls(through, 'l/a', '--layers')[0]!, /^1 .* l\/a$/, 'the layer is that of the place');
});

test('--layer takes a digest, and refuses what is no layer', (t) => {
  const tar = archive([{ path: 'a' }]);
  const image = join(scratch(t), 'layout');
  writeFiles(image, ociFiles([{ tar }, { tar: archive([{ path: 'b' }]) }]));
  assert.deepEqual(names(ls(image, '--layer', sha256(tar).slice(0, 12))), ['a']);
  assert.deepEqual(names(ls(image, '--layer', `sha256:${sha256(tar)}`)), ['a']);
  for (const [layer, what] of [
    ['0', 'the image has 4 layers'],
    ['5', 'the image has 4 layers'],
    ['ffffffffffff', 'no layer of the image'],
  ] as const) {
    const { code, stderr } = run(['ls', DEMO, '--layer', layer]);
    assert.notEqual(code, 0);
    assert.match(stderr, new RegExp(`^flatten: error: --layer ${layer}: ${what}\n`));
  }
});

test('JSON: a line for each name; bytes that are no text lead back to the file', (t) => {
  const hostile = 'e\x1b[31m\n\xff\\x41';
  const image = layout(t, [
    { path: hostile, body: Buffer.from('it'), xattrs: new Map([['user.a', Buffer.from([0, 255])]]) },
  ]);
  const [line, ...more] = ls(image, '--json');
  assert.deepEqual(more, []);
  const { path, xattrs, ...rest } = JSON.parse(line!);
  assert.deepEqual(rest, {
    type: 'file',
    mode: '0644',
    uid: 0,
    gid: 0,
    mtime: '1970-01-01T00:00:00Z',
    links: 1,
    size: 2,
    layer: 1,
  });
  assert.deepEqual(xattrs, { 'user.a': 'AP8=' });
  assert.deepEqual(ls(image, path, '--json'), [line]);
  const [shown] = ls(image);
  assert.match(shown!, /^[ -~]+$/, 'nothing steers a terminal');
  assert.deepEqual(ls(image, shown!.split(' ').at(-1)!), [shown], 'what is shown leads back, too');
});

test('what is not there is an error, and nothing is listed', () => {
  const { code, stdout, stderr } = run(['ls', DEMO, 'etc', 'nothing/here']);
  assert.equal(code, 1);
  assert.equal(stdout.toString(), '');
  assert.equal(
    stderr,
    `flatten: error: nothing/here: is not in the image\n  why: flatten explain ${DEMO} nothing/here\n`,
  );
  const glob = run(['ls', DEMO, 'no*ne']);
  assert.ok(glob.stderr.endsWith(`\n  why: flatten explain ${DEMO} 'no*ne'\n`), glob.stderr);
  const json = run(['ls', DEMO, 'no*ne', '--json']);
  assert.equal(JSON.parse(json.stdout.toString()).error.code, 'NOT_FOUND');
});

test('--mtree is of all, and of nothing else', () => {
  for (const args of [
    ['--mtree', 'etc'],
    ['--mtree', '--json'],
    ['--mtree', '-R'],
  ])
    assert.equal(run(['ls', DEMO, ...args]).code, 2, args.join(' '));
});

test('every input: a flat tar, a directory, standard input', (t) => {
  const cwd = scratch(t);
  run([DEMO, '-o', 'flat.tar', '-q'], { cwd });
  const flat = ls(join(cwd, 'flat.tar'), '-R');
  assert.deepEqual(flat, ls(DEMO, '-R'));
  const piped = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${CLI}" ls - -R < flat.tar`], { cwd });
  assert.deepEqual(piped.stdout.toString('latin1').split('\n').slice(0, -1), flat);
  writeFileSync(join(cwd, 'file'), 'x');
  assert.deepEqual(names(ls(cwd)), ['file', 'flat.tar']);
});

test('a reader that has seen enough is no error', (t) => {
  const image = layout(
    t,
    Array.from({ length: 20_000 }, (_, i) => ({ path: `some-long-name-${i}` })),
  );
  const script = `{ "${process.execPath}" "${CLI}" ls "${image}"; echo $? >&2; } | head -1`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  assert.equal(stdout.split('\n').length, 2);
  assert.match(stderr, /^\d+\n$/, 'nothing but the exit code');
});

test('umoci takes the mtree for its own, and sees no change', { skip: needs('root', 'umoci') }, (t) => {
  const cwd = scratch(t);
  const shell = (line: string) => execFileSync('/bin/sh', ['-e', '-c', line], { cwd, stdio: 'pipe' });
  run([DEMO, '-o', 'oci:layout:it', '--exclude', 'ping', '-q'], { cwd }); // umoci looks at xattrs, too
  shell('umoci unpack --image layout:it bundle');
  const [own] = readdirSync(join(cwd, 'bundle')).filter((name) => name.endsWith('.mtree'));
  const ours = run(['ls', 'layout', '--mtree'], { cwd }).stdout;
  writeFileSync(join(cwd, 'bundle', own!), ours);
  shell('umoci repack --image layout:same bundle');
  const added = (image: string) =>
    names(
      ls(join(cwd, 'layout'), '--image', image, '-R', '--layers').filter((line) => line.startsWith('2 ')),
    );
  assert.deepEqual(added('same'), []);
  const other = ours.toString('latin1').replace('passwd type=file mode=0644', 'passwd type=file mode=0600');
  writeFileSync(join(cwd, 'bundle', own!), other, 'latin1');
  shell('umoci repack --image layout:again bundle');
  assert.deepEqual(added('again'), ['etc/passwd']);
});
