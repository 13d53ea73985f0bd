import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { compress } from '../support/compress.js';
import { dockerFiles, ociFiles, tarOf } from '../support/image.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { archive } from '../support/tar.js';
import { layer, open, paths, put, session } from './opening.js';

const image = tarOf(dockerFiles([layer('a'), layer('b')], '1.10'));

for (const compression of ['gzip', 'zstd', 'xz', 'bzip2'] as const) {
  test(
    `an archive compressed with ${compression}, whatever its name`,
    {
      skip: needs(compression),
    },
    async (t) => {
      const path = put(t, compress(image, { compression }), 'image.dat');
      assert.deepEqual(await paths(await open(t, path), session(t)), [['a'], ['b']]);
      const flat = put(t, compress(archive([{ path: 'etc/x' }]), { compression }), 'image.tar');
      assert.deepEqual(await paths(await open(t, flat), session(t)), [['etc/x']]);
      assert.deepEqual(await paths(await open(t, `rootfs:${flat}`), session(t)), [['etc/x']]);
    },
  );
}

test('a root filesystem is told by content, though it has files of an image', async (t) => {
  const rootfs = [
    { path: 'manifest.json', body: Buffer.from('[{"Config":"x","Layers":7}]') },
    { path: 'index.json', body: Buffer.from('{"manifests":[]}') },
    { path: 'repositories', body: Buffer.from('deb http://example.com') },
    { path: 'bin/sh' },
  ];
  const found = await open(t, put(t, archive(rootfs)));
  assert.equal(found.kind, 'rootfs');
  assert.equal(found.config, undefined);
  assert.equal((await paths(found, session(t)))[0]!.length, 4);
});

test('rootfs: takes even an image for one', async (t) => {
  const found = await open(t, `rootfs:${put(t, image)}`);
  assert.equal(found.kind, 'rootfs');
  assert.equal(found.layers.length, 1);
});

test('an archive that has only what images have is an image, if a broken one', async (t) => {
  const broken = (change: (files: Map<string, Buffer>) => void) =>
    put(t, tarOf(ociFiles([layer('a')], { change })));
  const path = broken((files) => files.set('index.json', Buffer.from('{"manifests":')));
  await assert.rejects(open(t, path), { code: 'BAD_IMAGE', message: /^index\.json: is not JSON/ });
  const without = broken((files) => files.delete('index.json'));
  await assert.rejects(open(t, without), { code: 'BAD_IMAGE', message: /index\.json is missing$/ });
});

test('a transport that the content does not fit is an error', async (t) => {
  const path = put(t, archive([{ path: 'bin/sh' }]));
  await assert.rejects(open(t, `oci-archive:${path}`), {
    code: 'BAD_IMAGE',
    message: /index\.json is missing$/,
  });
  await assert.rejects(open(t, `docker-archive:${path}`), {
    code: 'BAD_IMAGE',
    message: /manifest\.json is missing$/,
  });
});

test('an empty tar is an empty root filesystem; an empty file and a file of something else are errors', async (t) => {
  assert.deepEqual(await paths(await open(t, put(t, archive([]))), session(t)), [[]]);
  await assert.rejects(open(t, put(t, Buffer.alloc(0))), {
    code: 'BAD_IMAGE',
    message: /image\.tar: is empty$/,
  });
  await assert.rejects(open(t, put(t, Buffer.alloc(4096, 'PNG'))), {
    code: 'BAD_IMAGE',
    message: /image\.tar: is neither an image nor a tar archive$/,
  });
});

test('a root filesystem has no image to choose', async (t) => {
  const path = put(t, archive([{ path: 'bin/sh' }]));
  await assert.rejects(open(t, path, { image: 'x' }), { code: 'NOT_FOUND', message: /holds no image x$/ });
});

test('what is not there is said, with the way to make an archive of an image', async (t) => {
  await assert.rejects(open(t, './nothing.tar'), { code: 'NOT_FOUND', hint: undefined });
  await assert.rejects(open(t, 'no-such/alpine:3.20'), {
    code: 'NOT_FOUND',
    hint: 'if it is an image of a registry: {input: docker://no-such/alpine:3.20}',
  });
});

test('an image that is in no file is refused with the command that makes one', async (t) => {
  const commands: Record<string, RegExp> = {
    'containers-storage:app': /podman save app -o image\.tar/,
  };
  for (const [reference, hint] of Object.entries(commands)) {
    await assert.rejects(open(t, reference), { code: 'UNSUPPORTED', hint }, reference);
  }
});

test('a name after the path, and paths with colons', async (t) => {
  const path = put(t, image, 'a:b.tar');
  assert.equal((await open(t, `docker-archive:${path}:test:latest`)).name, 'test:latest');
  assert.equal((await open(t, `docker-archive:${path}`)).name, 'test:latest');
  assert.equal((await open(t, path)).name, 'test:latest');
  await assert.rejects(open(t, `docker-archive:${path}:other:1`), { code: 'NOT_FOUND', hint: /test:latest/ });
  await assert.rejects(open(t, `docker-archive:${path}:test:latest`, { image: 'other' }), { code: 'USAGE' });
});

test('a reference without a path makes no sense', async (t) => {
  for (const reference of ['', 'oci:', 'rootfs:'])
    await assert.rejects(open(t, reference), { code: 'USAGE' });
});

test('a fifo is read like a file', { skip: needs('mkfifo', 'cp') }, async (t) => {
  const fifo = join(scratch(t), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const writer = import('node:child_process').then(({ execFile }) => execFile('cp', [put(t, image), fifo]));
  assert.deepEqual(await paths(await open(t, fifo), session(t)), [['a'], ['b']]);
  await writer;
});

test('nothing stays behind in the temporary directory', async (t) => {
  const context = session(t);
  const found = await open(t, put(t, compress(image, { compression: 'gzip' })), {}, context);
  assert.deepEqual(readdirSync(context.tmp), []);
  await paths(found, context);
  assert.deepEqual(readdirSync(context.tmp), []);
});

test('a directory that is no image is a root filesystem', async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'etc'));
  writeFileSync(join(directory, 'etc/os-release'), 'x');
  writeFileSync(join(directory, 'manifest.json'), '{}');
  const found = await open(t, directory);
  assert.equal(found.kind, 'rootfs');
  assert.deepEqual(await paths(found, session(t)), [['.', 'etc', 'etc/os-release', 'manifest.json']]);
});
