/** What is nearly an image must not become a root filesystem of blobs; a root filesystem stays one whatever lies in it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { compress } from '../support/compress.js';
import { dockerFiles, ociFiles, tarOf, writeFiles } from '../support/image.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { layer, open, put } from './opening.js';

type Files = ReadonlyMap<string, Buffer>;
const docker = dockerFiles([layer('a')], '1.10');
const oci = ociFiles([layer('a')]);
const hex = 'a'.repeat(64);

const within = (directory: string, files: Files) =>
  new Map([...files].map(([path, body]) => [`${directory}/${path}`, body]));
const only = (files: Files, pattern: RegExp) => new Map([...files].filter(([path]) => pattern.test(path)));
const files = (...paths: string[]) => new Map(paths.map((path) => [path, Buffer.from('x')]));

/** The same files as a tar and as a directory. */
function both(t: TestContext, content: Files): [string, string] {
  const directory = join(scratch(t), 'files');
  mkdirSync(directory);
  writeFiles(directory, content);
  return [put(t, tarOf(content)), directory];
}

const NEAR: Record<string, readonly [Files, RegExp, RegExp]> = {
  'a docker-archive a directory too deep': [
    within('image', docker),
    /holds an image, but in its directory image\/$/,
    /flatten \S+\/image\/ -o OUTPUT/,
  ],
  'a layout two directories too deep': [
    within('x/layout', oci),
    /in its directory x\/layout\/$/,
    /\/x\/layout\/ -o/,
  ],
  'a layout too deep, with many blobs first': [
    new Map([
      ...files(
        ...Array.from(
          { length: 1200 },
          (_, index) => `i/blobs/sha256/${index.toString(16).padStart(64, '0')}`,
        ),
      ),
      ...within('i', oci),
    ]),
    /in its directory i\/$/,
    /flatten/,
  ],
  'blobs alone': [only(oci, /^blobs/), /holds blobs of an image, but neither/, /skopeo copy/],
  'blobs of dir: alone': [files(hex, 'b'.repeat(64)), /holds blobs of an image/, /skopeo copy/],
  'the inside of blobs': [files(`sha256/${hex}`), /holds blobs of an image/, /skopeo copy/],
  'one archive': [files('image.tar'), /holds archives only: image\.tar$/, /image\.tar/],
  'several archives': [files('b.tar.gz', 'a.tar'), /holds archives only: a\.tar and 1 more$/, /a\.tar/],
  "podman's storage": [
    files('overlay/l/x', 'overlay-images/images.json', 'overlay-layers/layers.json', 'storage.lock'),
    /storage of podman/,
    /podman save/,
  ],
  "Docker's storage": [
    files('image/x', 'containers/x', 'overlay2/l/x', 'volumes/x'),
    /storage of Docker/,
    /docker save/,
  ],
  "containerd's storage": [
    files('io.containerd.content.v1.content/blobs/x', 'tmpmounts/x'),
    /storage of containerd/,
    /ctr image export/,
  ],
  'one layer of overlay2': [
    files('diff/etc/x', 'link', 'lower'),
    /one layer in an engine's storage/,
    /docker save/,
  ],
  'a Helm chart': [files('app/Chart.yaml', 'app/templates/x.yaml'), /is a Helm chart/, /helm/],
  'a bundle': [files('config.json', 'rootfs/etc/passwd'), /bundle of an OCI runtime/, /rootfs -o OUTPUT/],
};

for (const [name, [content, message, hint]] of Object.entries(NEAR)) {
  test(`no root filesystem: ${name}`, async (t) => {
    for (const path of both(t, content)) {
      await assert.rejects(open(t, path), (error: Error & { code?: string; hint?: string }) => {
        assert.equal(error.code, 'BAD_IMAGE', error.message);
        assert.match(error.message, message);
        assert.match(error.hint!, hint);
        assert.ok(error.hint!.endsWith(`say so: rootfs:${path}`));
        return true;
      });
      assert.equal((await open(t, `rootfs:${path}`)).kind, 'rootfs');
    }
  });
}

const HONEST: Record<string, Files> = {
  'an image among its files': new Map([...within('srv/image', oci), ...files('etc/passwd')]),
  'an image in its only directory': within('srv/image', oci),
  'blobs and archives beside its directories': files(
    `blobs/sha256/${hex}`,
    'image.tar',
    'manifest.json',
    'usr/bin/x',
  ),
  'an unknown layout beside its directories': new Map([
    ...files('etc/x'),
    ['oci-layout', Buffer.from('{"imageLayoutVersion":"9"}')],
  ]),
  'a program and its config': files('app', 'config.json'),
  'a directory of a program': files('app/server', 'app/config.json'),
};

for (const [name, content] of Object.entries(HONEST)) {
  test(`a root filesystem with ${name}`, async (t) => {
    for (const path of both(t, content)) assert.equal((await open(t, path)).kind, 'rootfs');
  });
}

test('a layout of an unknown version is refused by name', async (t) => {
  const version = Buffer.from('{"imageLayoutVersion":"2.0.0"}');
  for (const content of [
    new Map([...oci, ['oci-layout', version]]),
    new Map([...only(oci, /^blobs/), ['oci-layout', version]]),
  ]) {
    for (const path of both(t, content))
      await assert.rejects(open(t, path), {
        code: 'UNSUPPORTED',
        message: /is an OCI layout of version 2\.0\.0/,
      });
  }
});

test('an unpacked docker-archive is an image', async (t) => {
  const [, directory] = both(t, docker);
  assert.equal((await open(t, directory)).kind, 'docker-archive');
});

test('an image is no root filesystem to import or verify, unless it is called one', (t) => {
  const cwd = scratch(t);
  writeFiles(
    cwd,
    new Map([
      ['image.tar', tarOf(docker)],
      ['packed.tar.gz', compress(tarOf(docker), { compression: 'gzip' })],
    ]),
  );
  writeFiles(join(cwd, 'layout'), oci);
  for (const input of ['image.tar', 'packed.tar.gz', 'layout']) {
    const imported = run(['import', input, '-o', 'oci:out'], { cwd });
    assert.equal(imported.code, 1);
    assert.match(
      imported.stderr,
      /is an image, and a root filesystem is wanted here\n.*flatten \S+ -o OUTPUT\n.*rootfs:/,
    );
    assert.match(
      run(['verify', input, 'image.tar'], { cwd }).stderr,
      /is an image, and a root filesystem is wanted/,
    );
  }
  assert.equal(run(['import', 'rootfs:image.tar', '-o', 'oci:out'], { cwd }).code, 0);
});

test('a file that is something else is called by its name', { skip: needs('zip', 'xz') }, async (t) => {
  const cwd = scratch(t);
  writeFileSync(join(cwd, 'x'), 'x');
  execFileSync('zip', ['-q', 'x.zip', 'x'], { cwd });
  await assert.rejects(open(t, join(cwd, 'x.zip')), {
    message: /x\.zip: is a zip archive, neither an image nor a tar archive$/,
    hint: /unzip \S+\/x\.zip -d DIR, then flatten DIR -o OUTPUT$/,
  });
  const head = (magic: string, at = 0) =>
    Buffer.concat([Buffer.alloc(at, 1), Buffer.from(magic, 'latin1'), Buffer.alloc(70_000, 1)]);
  for (const [bytes, name] of [
    [head('!<arch>\ndebian-binary'), 'a Debian package'],
    [head('\xed\xab\xee\xdb'), 'an RPM package'],
    [head('hsqs'), 'a squashfs image'],
    [head('QFI\xfb'), 'a qcow2 disk image'],
    [head('CD001', 0x8001), 'an ISO image'],
    [Buffer.from('{"schemaVersion":2}'), 'JSON'],
    [compress(head('070701'), { compression: 'gzip' }), 'a cpio archive'],
  ] as const) {
    await assert.rejects(open(t, put(t, bytes)), {
      code: 'BAD_IMAGE',
      message: new RegExp(`is ${name}, neither`),
    });
  }
});
