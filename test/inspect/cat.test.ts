/** `flatten cat`, as people type it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { ociFiles, writeFiles } from '../support/image.js';
import { needs } from '../support/needs.js';
import { CLI, run } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { archive, type Member } from '../support/tar.js';
import { onTerminal } from '../support/terminal.js';

function layout(t: Parameters<typeof scratch>[0], ...layers: Member[][]): string {
  const directory = join(scratch(t), 'layout');
  writeFiles(directory, ociFiles(layers.map((members) => ({ tar: archive(members) }))));
  return directory;
}

const link = (path: string, linkpath: string): Member => ({ path, linkpath, typeflag: '2' });

test('bytes as they are: several files, links that lead inside the root, globs, raw names', (t) => {
  const bytes = Buffer.from(Array.from({ length: 3 << 20 }, (_, i) => (i * 7919) >> 3));
  const image = layout(
    t,
    [
      { path: 'd/a', body: Buffer.from('old') },
      { path: 'd/big\xff', body: bytes },
      link('up', '../../../d/a'),
    ],
    [{ path: 'd/a', body: Buffer.from('new') }, link('abs', '/l'), link('l', 'd'), { path: 'empty' }],
  );
  const cat = (...args: string[]) => {
    const { code, stdout, stderr } = run(['cat', image, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.equal(cat('d/a').toString(), 'new');
  assert.equal(cat('--layer', '1', 'd/a').toString(), 'old');
  assert.equal(cat('up', 'empty', '/abs/a').toString(), 'newnew');
  assert.ok(cat('abs/big\\xff').equals(bytes));
  assert.equal(cat('d/[a]*').toString(), 'new');
});

test('holes are zeros', (t) => {
  const runs = [[4096, 3]] as const;
  const image = layout(t, [
    { path: 's', body: Buffer.from('end'), sparse: { form: 'pax-1.0', realSize: 5000, runs } },
  ]);
  const whole = Buffer.alloc(5000);
  whole.write('end', 4096);
  assert.ok(run(['cat', image, 's']).stdout.equals(whole));
});

test('what is no file is an error, and nothing is printed', (t) => {
  const image = layout(t, [
    { path: 'f', body: Buffer.from('x') },
    { path: 'd/e' },
    link('dead', 'none'),
    link('l', 'd'),
  ]);
  for (const [path, what] of [
    ['d', 'd: is a directory, no file'],
    ['l', 'l: is a directory, no file'],
    ['dead', 'dead: is a symlink that leads to nothing'],
    ['none', `none: is not in the image\n  why: flatten explain ${image} none`],
    ['*x', '*x: is not in the image'],
  ]) {
    const { code, stdout, stderr } = run(['cat', image, 'f', path!]);
    assert.equal(code, 1);
    assert.equal(stdout.toString(), '');
    assert.ok(stderr.startsWith(`flatten: error: ${what}\n`), stderr);
  }
  assert.equal(run(['cat', image, 'f', '--json']).code, 2);
  assert.match(run(['cat', image]).stderr, /PATH is missing/);
});

test('a layer that is not what its digest says is never printed', (t) => {
  const directory = join(scratch(t), 'layout');
  const change = (files: Map<string, Buffer>) => {
    for (const [path, bytes] of files)
      if (bytes.includes('secret'))
        files.set(path, Buffer.from(bytes.toString('latin1').replace('secret', 'forged'), 'latin1'));
  };
  writeFiles(
    directory,
    ociFiles([{ tar: archive([{ path: 'f', body: Buffer.from('secret') }]) }], { change }),
  );
  const { code, stdout, stderr } = run(['cat', directory, 'f']);
  assert.equal(code, 1);
  assert.equal(stdout.toString(), '');
  assert.match(stderr, /digest/);
});

test('to a terminal only text is printed', { skip: needs('python3') }, (t) => {
  const image = layout(t, [
    { path: 'text', body: Buffer.from('grüße\ttab\r\n') },
    { path: 'steers', body: Buffer.from('a\x1b[31mb') },
    { path: 'binary', body: Buffer.from([0x7f, 0x45, 0]) },
  ]);
  const text = onTerminal(['cat', image, 'text']);
  assert.equal(text.code, 0);
  assert.ok(Buffer.from(text.shown, 'latin1').toString().includes('grüße\ttab'));
  for (const path of ['steers', 'binary']) {
    const { code, shown } = onTerminal(['cat', image, path]);
    assert.equal(code, 2);
    assert.match(
      shown,
      /error.*has bytes that are not for a terminal\r\n {2}send it to a file or a program: flatten cat /,
    );
    assert.doesNotMatch(shown, /\x1b\[31mb/);
  }
});

test('a reader that has seen enough is no error', (t) => {
  const image = layout(t, [{ path: 'f', body: Buffer.alloc(4 << 20, 'line\n') }]);
  const script = `{ "${process.execPath}" "${CLI}" cat "${image}" f; echo $? >&2; } | head -1`;
  const { stdout, stderr } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8' });
  assert.equal(stdout, 'line\n');
  assert.match(stderr, /^\d+\n$/, 'nothing but the exit code');
});
