import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { ociFiles, writeFiles } from '../../support/image.js';
import { lines } from '../../support/listing.js';
import { scratch } from '../../support/scratch.js';
import { MEMORY } from '../../support/sinks.js';
import { archive } from '../../support/tar.js';
import { checkLayout, squash, untar } from './made.js';

const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
];

interface Entry {
  readonly digest: string;
  annotations?: Record<string, string>;
}

/** A layout with one image for each platform, of two layers; the first layer is the same in all. */
function multiPlatform(
  t: TestContext,
  over: (entry: Entry, index: number) => Entry = (entry) => entry,
): string {
  const layout = join(scratch(t), 'multi');
  const files = new Map<string, Buffer>();
  const manifests = PLATFORMS.map((platform, index) => {
    const layers = ['shared', platform.architecture].map((path) => ({ tar: archive([{ path }]) }));
    const one = ociFiles(layers, { config: platform, tag: 'it' });
    for (const [path, bytes] of one) files.set(path, bytes);
    const { manifests } = JSON.parse(one.get('index.json')!.toString()) as { manifests: Entry[] };
    return over({ ...manifests[0]!, platform } as Entry, index);
  });
  files.set('index.json', Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  writeFiles(layout, files);
  return layout;
}

test('all platforms: each is squashed, one index lists them', async (t) => {
  const input = multiPlatform(t);
  const directory = scratch(t);
  for (const output of [
    `oci:${join(directory, 'layout')}:it`,
    `oci-archive:${join(directory, 'a.tar')}:it`,
  ]) {
    const result = await squash(output, { input, platform: 'all', image: { changes: ['USER x'] } });
    const layout = output.startsWith('oci:')
      ? join(directory, 'layout')
      : untar(join(directory, 'a.tar'), join(directory, 'a'));
    const { top, images } = checkLayout(layout);
    assert.equal(result.artifact.digest, top.digest);
    assert.equal(result.image.platform, 'linux/amd64, linux/arm64, linux/arm/v7');
    assert.match(top.mediaType, /image\.index/);
    assert.equal(top.annotations!['org.opencontainers.image.ref.name'], 'it');
    assert.deepEqual(
      images.map(({ config: { os, architecture, variant } }) => ({
        os,
        architecture,
        ...(variant ? { variant } : {}),
      })),
      PLATFORMS,
    );
    for (const { config, manifest } of images) {
      assert.equal(manifest.layers.length, 1);
      assert.equal((config.config as Record<string, unknown>).User, 'x');
      const platform = `linux/${config.architecture}`;
      const again = join(directory, 'again.tar');
      await squash(again, { input: layout, platform, force: true });
      const paths = (await MEMORY.list(`rootfs:${again}`, directory)).map(({ path }) => path);
      assert.deepEqual(paths.sort(), ['.', config.architecture, 'shared'].sort());
    }
  }
});

test('all platforms on a kept base: a layer that they share is there once', async (t) => {
  const input = multiPlatform(t);
  const directory = scratch(t);
  const archivePath = join(directory, 'a.tar');
  await squash(`oci-archive:${archivePath}`, { input, platform: 'all', image: { last: 1 } });
  const { images } = checkLayout(untar(archivePath, join(directory, 'a')));
  const bases = new Set(images.map(({ manifest }) => manifest.layers[0]!.digest));
  assert.equal(bases.size, 1);
  assert.deepEqual(
    images.map(({ manifest }) => manifest.layers.length),
    [2, 2, 2],
  );
});

test('all platforms of one image, where there is only one', async (t) => {
  const input = join(scratch(t), 'image');
  writeFiles(input, ociFiles([{ tar: archive([{ path: 'a' }]) }]));
  const layout = join(scratch(t), 'layout');
  await squash(`oci:${layout}`, { input, platform: 'all' });
  const { top } = checkLayout(layout);
  assert.match(top.mediaType, /image\.manifest/);
  const before = lines(await MEMORY.list(input, layout));
  assert.deepEqual(lines(await MEMORY.list(layout, layout)), before);
});

test('images of several names: which are meant must be said', async (t) => {
  const rename = (entry: Entry, index: number): Entry => ({
    ...entry,
    annotations: { 'org.opencontainers.image.ref.name': index === 2 ? 'other' : 'it' },
  });
  const input = multiPlatform(t, rename);
  const output = `oci:${join(scratch(t), 'layout')}`;
  await assert.rejects(squash(output, { input, platform: 'all' }), { code: 'AMBIGUOUS', hint: /other/ });
  const { image } = await squash(output, { input, platform: 'all', reference: 'it' });
  assert.equal(image.platform, 'linux/amd64, linux/arm64');
});
