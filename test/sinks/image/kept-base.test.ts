import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { flatten } from '../../../src/flatten.js';
import { put } from '../../sources/opening.js';
import { dockerFiles, ociFiles, tarOf, writeFiles } from '../../support/image.js';
import { listDirectory } from '../../support/list-directory.js';
import { listTar } from '../../support/list-tar.js';
import { lines } from '../../support/listing.js';
import { needs } from '../../support/needs.js';
import { scratch } from '../../support/scratch.js';
import { MEMORY } from '../../support/sinks.js';
import { runs, tidyStack } from '../../support/stacks.js';
import { archive, type Member } from '../../support/tar.js';
import { checkLayout, squash, sum } from './made.js';

const file = (path: string): Member => ({ path, body: Buffer.from(path) });
const link = (path: string, linkpath: string): Member => ({ path, linkpath, typeflag: '1' });
const folder = (path: string, mode = 0o755): Member => ({ path, mode, typeflag: '5' });
const gone = (path: string): Member => ({ path: path.replace(/[^/]*$/, '.wh.$&') });

/** Writes the layers as an image, squashes all but the first, and gives the names in the new layer. */
async function upperNames(directory: string, layers: readonly (readonly Member[])[]): Promise<string[]> {
  const input = join(directory, 'image');
  const layout = join(directory, 'layout');
  writeFiles(input, ociFiles(layers.map((members) => ({ tar: archive(members) }))));
  await flatten({ input, output: `oci:${layout}`, image: { fromLayer: '1' } });
  const before = lines(await MEMORY.list(input, directory));
  assert.deepEqual(lines(await MEMORY.list(layout, directory)), before);
  const [image] = checkLayout(layout).images;
  assert.equal(image!.manifest.layers[0]!.digest, sum(archive(layers[0]!)));
  const upper = join(layout, 'blobs', image!.manifest.layers[1]!.digest.replace(':', '/'));
  return listTar(upper).map(({ path }) => path);
}

const skip = needs('python3');

test(
  'a file of the base that was removed gets its whiteout, one that came and went gets none',
  { skip },
  async (t) => {
    const names = await upperNames(scratch(t), [
      [folder('d'), file('d/a'), file('d/b')],
      [file('d/c'), gone('d/a')],
      [gone('d/c')],
    ]);
    assert.deepEqual(names, ['.', 'd', 'd/.wh.a']);
  },
);

test(
  'a directory that was emptied is opaque; one that was replaced by itself has what it has',
  { skip },
  async (t) => {
    const names = await upperNames(scratch(t), [
      [folder('d'), file('d/a'), file('d/b'), folder('e'), file('e/a')],
      [{ path: 'd/.wh..wh..opq' }, file('d/new'), gone('e')],
      [folder('e')],
    ]);
    assert.deepEqual(names, ['.', 'd', 'd/.wh..wh..opq', 'd/new', 'e', 'e/.wh.a']);
  },
);

test('a hard link across the border is written with its content and its other names', { skip }, async (t) => {
  const names = await upperNames(scratch(t), [
    [folder('d'), file('d/a'), file('d/other')],
    [link('b', 'd/a')],
  ]);
  assert.deepEqual(names, ['.', 'b', 'd', 'd/a']);
});

test('a hard link of which one name is rewritten leaves the other in the base', { skip }, async (t) => {
  const names = await upperNames(scratch(t), [
    [file('a'), link('b', 'a')],
    [{ path: 'a', body: Buffer.from('new') }],
  ]);
  assert.deepEqual(names, ['.', 'a']);
});

test('a new mode of a directory is written, and nothing in it', { skip }, async (t) => {
  const names = await upperNames(scratch(t), [[folder('d'), file('d/a')], [folder('d', 0o700)]]);
  assert.deepEqual(names, ['.', 'd']);
});

test('kinds that change, in both directions', { skip }, async (t) => {
  const names = await upperNames(scratch(t), [
    [folder('d'), file('d/a'), file('f')],
    [file('d'), folder('f'), file('f/in')],
  ]);
  assert.deepEqual(names, ['.', 'd', 'f', 'f/in']);
});

test(
  'umoci unpacks what is kept and what is new to the tree of the source',
  {
    skip: needs('root', 'umoci', 'getfattr'),
  },
  async (t) => {
    const directory = scratch(t);
    const [input, layout, bundle] = ['image', 'layout', 'bundle'].map((name) => join(directory, name));
    await fc.assert(
      fc.asyncProperty(tidyStack, fc.nat({ max: 3 }), async (stack, keep) => {
        writeFiles(input!, ociFiles(stack.map((members) => ({ tar: archive(members) }))));
        const fromLayer = String(Math.min(keep, stack.length - 1));
        await flatten({ input: input!, output: `oci:${layout}:it`, image: { fromLayer } });
        execFileSync('umoci', ['unpack', '--image', `${layout}:it`, bundle!], { stdio: 'pipe' });
        const rows = listDirectory(join(bundle!, 'rootfs'));
        assert.deepEqual(lines(rows), lines(await MEMORY.list(input!, directory)));
        for (const path of [input, layout, bundle]) rmSync(path!, { recursive: true });
      }),
      runs(60),
    );
  },
);

test('layers are named by number, by digest, or counted from the top', async (t) => {
  const directory = scratch(t);
  const names = async (options: object) => {
    const layout = join(directory, JSON.stringify(options).replace(/\W/g, '_'));
    await squash(`oci:${layout}`, { image: options });
    return checkLayout(layout).images[0]!.config.rootfs.diff_ids;
  };
  const three = await names({ fromLayer: '3' });
  assert.equal(three.length, 4);
  assert.deepEqual(await names({ last: 1 }), three);
  assert.deepEqual(await names({ fromLayer: three[2] }), three);
  assert.deepEqual(await names({ fromLayer: three[2]!.slice(7, 19) }), three);
  assert.equal((await names({ last: 4 })).length, 1);
  assert.equal((await names({ fromLayer: '0' })).length, 1);
});

test('layers that are not there, or nothing above them: an error that says how many there are', async (t) => {
  const output = `oci:${join(scratch(t), 'layout')}`;
  const refused: [object, RegExp][] = [
    [{ fromLayer: '4' }, /^\{fromLayer: 4\}: nothing is above it in 4 layers$/],
    [{ last: 5 }, /^\{last: 5\}: the image has 4 layers$/],
    [{ last: 0 }, /^\{last: 0\}: the image has 4 layers$/],
    [{ fromLayer: 'abcdefabcdef' }, /^\{fromLayer: abcdefabcdef\}: no layer of the image$/],
    [{ fromLayer: 'top' }, /^\{fromLayer: top\}: no layer/],
    [{ fromLayer: '1', last: 1 }, /^\{fromLayer\} and \{last\}: only one/],
  ];
  for (const [options, message] of refused)
    await assert.rejects(squash(output, { image: options }), { message });
  await assert.rejects(squash(output, { image: { last: 1 }, keepDirlinks: true }), { code: 'USAGE' });
});

test('kept layers keep their compression, and v1 layers get their diffIDs', async (t) => {
  const directory = scratch(t);
  const layers = [
    { tar: archive([file('a')]), compression: 'gzip' as const },
    { tar: archive([file('b')]), compression: 'gzip' as const },
    { tar: archive([gone('a')]) },
  ];
  for (const style of ['v1', '1.10', '25'] as const) {
    const input = put(t, tarOf(dockerFiles(layers, style)));
    const layout = join(directory, style);
    await flatten({ input, output: `oci:${layout}`, image: { last: 1, compression: 'zstd' } });
    const [image] = checkLayout(layout).images;
    const types = image!.manifest.layers.map(({ mediaType }) => mediaType.split('.').at(-1));
    assert.deepEqual(types, ['tar+gzip', 'tar+gzip', 'tar+zstd']);
  }
});

test(
  'a kept layer that OCI has no media type for is refused by name; a docker-archive takes it',
  {
    skip: needs('xz'),
  },
  async (t) => {
    const directory = scratch(t);
    const layers = [{ tar: archive([file('a')]), compression: 'xz' as const }, { tar: archive([file('b')]) }];
    const input = put(t, tarOf(dockerFiles(layers, '1.10')));
    const options = { input, image: { last: 1 } };
    await assert.rejects(squash(`oci:${join(directory, 'layout')}`, options), {
      code: 'UNSUPPORTED',
      message: /^layer 1 of 2 .*: is compressed by xz/,
    });
    const output = `docker-archive:${join(directory, 'image.tar')}`;
    await squash(output, options);
    assert.deepEqual(lines(await MEMORY.list(output, directory)), lines(await MEMORY.list(input, directory)));
  },
);

test('clamped times are those of the new layer; the base stays as it is', async (t) => {
  const directory = scratch(t);
  const layout = join(directory, 'layout');
  await squash(`oci:${layout}`, { sourceDateEpoch: 1, image: { last: 1 } });
  const plain = join(directory, 'plain');
  await squash(`oci:${plain}`, { image: { last: 1 } });
  const kept = (path: string) => checkLayout(path).images[0]!.manifest.layers.slice(0, -1);
  assert.deepEqual(kept(layout), kept(plain));
});
