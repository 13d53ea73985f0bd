import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunEvent } from '../../../src/context.js';
import { ociFiles, writeFiles } from '../../support/image.js';
import { needs } from '../../support/needs.js';
import { run } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { archive } from '../../support/tar.js';
import { checkLayout, DEMO, squash } from './made.js';

test('an output that exists is refused, and replaced with force', async (t) => {
  const directory = scratch(t);
  const [file, layout] = [join(directory, 'image.tar'), join(directory, 'layout')];
  for (const output of [`docker-archive:${file}`, `oci-archive:${file}`, `oci:${layout}:1`]) {
    await squash(output, { force: true });
    const before = readdirSync(directory);
    await assert.rejects(squash(output), {
      code: 'OUTPUT_EXISTS',
      option: 'force',
      hint: /add \{force\} to/,
    });
    await squash(output, { force: true });
    assert.deepEqual(readdirSync(directory), before);
  }
  checkLayout(layout);
});

test('with force a layout replaces a layout or an empty directory, not any directory', async (t) => {
  const directory = scratch(t);
  const home = join(directory, 'home');
  mkdirSync(home);
  await squash(`oci:${home}`);
  const other = join(directory, 'other');
  mkdirSync(other);
  writeFileSync(join(other, 'precious'), 'x');
  await assert.rejects(squash(`oci:${other}`, { force: true }), {
    code: 'OUTPUT_EXISTS',
    hint: /is no OCI layout/,
  });
  assert.deepEqual(readdirSync(other), ['precious']);
});

test('names and options that make no sense: exit 2, and nothing is written', (t) => {
  const cwd = scratch(t);
  for (const args of [
    ['-o', 'docker-archive:'],
    ['-o', 'docker-archive:a.tar:App'],
    ['-o', 'docker-archive:a.tar:app:'],
    ['-o', 'oci:layout:a b'],
    ['-o', 'docker-daemon:'],
    ['-o', 'docker-daemon:a/B'],
    ['-o', 'oci:layout', '--compression', 'xz'],
    ['-o', 'oci:layout', '--compression', 'gzip:13'],
    ['-o', 'oci:layout', '--change', 'EXPOSE x'],
    ['-o', 'oci:layout', '--change', 'RUN x'],
    ['-o', 'oci:layout', '--last', '9'],
    ['-o', 'oci:layout', '--sha256'],
    ['-o', 'oci:layout', '--label', 'x'],
    ['-o', 'flat.tar', '--change', 'USER x'],
    ['-o', 'flat.tar', '--last', '1'],
    ['-o', 'flat.tar', '--platform', 'all'],
    ['-o', 'docker-archive:a.tar', '--platform', 'all'],
    ['-o', 'docker-daemon:app', '--verify'],
  ]) {
    const { code, stderr } = run([DEMO, ...args], { cwd });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
  }
  assert.deepEqual(readdirSync(cwd), []);
});

test('names that no layer can hold are named', async (t) => {
  const directory = scratch(t);
  const image = join(directory, 'image');
  const layers = [[{ path: 'd/.wh.e/f' }], [{ path: 'd/.wh.e/.wh.f' }]].map((members) => ({
    tar: archive(members),
  }));
  writeFiles(image, ociFiles(layers));
  await assert.rejects(squash(`oci:${join(directory, 'layout')}`, { input: image }), {
    code: 'UNSUPPORTED',
    path: 'd/.wh.e',
    hint: /\{exclude: 'd\/\.wh\.e'\}/,
  });
  assert.deepEqual(readdirSync(directory), ['image']);
});

test('in a root filesystem names that begin as markers do are names, and no layer can hold them', async (t) => {
  const directory = scratch(t);
  const flat = join(directory, 'flat.tar');
  const names = ['.wh..wh.aufs', 'd/.wh..wh..opq', 'd/.wh.e', 'd/e', 'd/f'];
  writeFileSync(flat, archive(names.map((path) => ({ path }))));
  const rootfs = `${join(directory, 'rootfs')}/`;
  const again = join(directory, 'again.tar');
  await squash(rootfs, { input: flat });
  await squash(again, { input: rootfs });
  const listed = execFileSync('tar', ['-tf', again], { encoding: 'utf8' }).split('\n');
  assert.deepEqual(
    listed.filter((name) => name && !name.endsWith('/')),
    names,
  );
  await assert.rejects(squash(`oci:${join(directory, 'layout')}`, { input: flat }), {
    code: 'UNSUPPORTED',
    path: '.wh..wh.aufs',
  });
  await squash(`oci:${join(directory, 'layout')}`, { input: flat, exclude: ['**/.wh.*'] });
});

test('a layer that is not what its digest says: nothing appears', async (t) => {
  const directory = scratch(t);
  const image = join(directory, 'image');
  const change = (files: Map<string, Buffer>) => {
    for (const [path, bytes] of files)
      if (bytes.length > 2000) files.set(path, Buffer.from(bytes).fill(1, 513, 600));
  };
  const tar = archive([{ path: 'a', body: Buffer.alloc(3000) }]);
  writeFiles(image, ociFiles([{ tar }, { tar: archive([]) }], { change }));
  for (const output of ['oci:layout', 'oci-archive:a.tar', 'docker-archive:b.tar']) {
    const [transport, name] = output.split(':') as [string, string];
    for (const squashing of [{}, { last: 1 }]) {
      await assert.rejects(
        squash(`${transport}:${join(directory, name)}`, { input: image, image: squashing }),
        {
          code: 'DIGEST_MISMATCH',
        },
      );
    }
  }
  assert.deepEqual(readdirSync(directory), ['image']);
});

test('interrupted: the old output stays, nothing else does', async (t) => {
  const directory = scratch(t);
  const file = join(directory, 'image.tar');
  writeFileSync(file, 'old');
  const stop = new AbortController();
  const onEvent = (event: RunEvent) => {
    if (event.type === 'progress' && event.phase === 'write') stop.abort();
  };
  for (const compression of ['none', 'gzip']) {
    const options = { signal: stop.signal, onEvent, force: true, image: { compression } };
    await assert.rejects(squash(`oci-archive:${file}`, options), { code: 'INTERRUPTED' });
  }
  assert.deepEqual(readdirSync(directory), ['image.tar']);
  assert.equal(readFileSync(file, 'utf8'), 'old');
});

test(
  'a full disk: the error names the output and what to do; the old output stays',
  {
    skip: needs('root', 'mount'),
  },
  async (t) => {
    const directory = scratch(t);
    const disk = join(directory, 'disk');
    mkdirSync(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', disk]);
    try {
      const image = join(directory, 'image');
      writeFiles(image, ociFiles([{ tar: archive([{ path: 'a', body: randomBytes(300_000) }]) }]));
      writeFileSync(join(disk, 'out'), 'old');
      for (const transport of ['docker-archive', 'oci-archive']) {
        const output = `${transport}:${join(disk, 'out')}`;
        await assert.rejects(squash(output, { input: image, force: true, tmp: directory }), {
          code: 'IO',
          message: /disk\/out: cannot be written: no space left on device \(ENOSPC\)/,
          hint: /disk is full/,
        });
      }
      await assert.rejects(squash(`oci:${join(disk, 'layout')}`, { input: image, tmp: directory }), {
        code: 'IO',
      });
      assert.deepEqual(readdirSync(disk), ['out']);
      assert.equal(statSync(join(disk, 'out')).size, 3);
    } finally {
      execFileSync('umount', [disk]);
    }
  },
);

test('an image goes to standard output whole', (t) => {
  const cwd = scratch(t);
  for (const format of ['docker-archive', 'oci-archive']) {
    const { code, stdout, stderr } = run([DEMO, '-o', '-', '--format', format], { cwd });
    assert.equal(code, 0, stderr);
    writeFileSync(join(cwd, 'image.tar'), stdout);
    assert.equal(run(['image.tar', '-o', `${format}/`, '-q', '--format', 'directory'], { cwd }).code, 0);
  }
});
