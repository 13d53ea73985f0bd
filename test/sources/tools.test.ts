import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { dockerFiles, ociFiles, tarOf, writeFiles } from '../support/image.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { layer, open, paths, put, session } from './opening.js';

const stack = [layer('base'), layer('top')];
const whole = [['base'], ['top']];

const quietly = { stdio: 'ignore' } as const;

test('what skopeo makes of an image is the same image', { skip: needs('skopeo') }, async (t) => {
  const directory = scratch(t);
  const saved = put(t, tarOf(dockerFiles(stack, '1.10')));
  const first = await open(t, saved);
  const copies = [
    `oci:${join(directory, 'layout')}:app-1.0`,
    `oci-archive:${join(directory, 'oci.tar')}:app-1.0`,
    `docker-archive:${join(directory, 'docker.tar')}:app:1.0`,
  ];
  for (const copy of copies) {
    execFileSync('skopeo', ['--insecure-policy', 'copy', `docker-archive:${saved}`, copy], quietly);
    const image = await open(t, copy);
    assert.deepEqual(await paths(image, session(t)), whole, copy);
    assert.deepEqual(image.config?.json.rootfs, first.config?.json.rootfs);
    assert.deepEqual(image.config?.json.config, first.config?.json.config);
  }
});

test('images that umoci makes', { skip: needs('umoci') }, async (t) => {
  const layout = join(scratch(t), 'layout');
  execFileSync('umoci', ['init', '--layout', layout], quietly);
  await assert.rejects(open(t, layout), { code: 'NOT_FOUND', message: /holds no image$/ });
  for (const tag of ['one', 'two']) execFileSync('umoci', ['new', '--image', `${layout}:${tag}`], quietly);
  const source = put(t, Buffer.from('x'));
  execFileSync('umoci', ['insert', '--image', `${layout}:two`, source, '/inserted'], quietly);
  assert.deepEqual(await paths(await open(t, `oci:${layout}:one`), session(t)), []);
  assert.deepEqual(await paths(await open(t, layout, { image: 'two' }), session(t)), [['inserted']]);
  await assert.rejects(open(t, layout), { code: 'AMBIGUOUS', hint: /one .*\n.*two / });
});

for (const tool of ['tar', 'bsdtar']) {
  test(`an image that was unpacked and packed again by ${tool}`, { skip: needs(tool) }, async (t) => {
    for (const files of [ociFiles(stack), dockerFiles(stack, '1.10'), dockerFiles(stack, '25')]) {
      const directory = scratch(t);
      const archive = join(scratch(t), 'image.tar');
      writeFiles(directory, files);
      execFileSync(tool, ['-cf', archive, '-C', directory, '.']);
      assert.deepEqual(await paths(await open(t, archive), session(t)), whole);
    }
  });
}

test(
  'layers that are hard links to one file stay readable when tar packs them',
  {
    skip: needs('tar', 'ln'),
  },
  async (t) => {
    const directory = scratch(t);
    writeFiles(directory, dockerFiles([layer('a'), layer('a')], '1.10'));
    const [first, second] = readdirSync(directory).filter((name) => /^[0-9a-f]{64}$/.test(name));
    renameSync(join(directory, first!, 'layer.tar'), join(directory, first!, 'old'));
    execFileSync('ln', [join(directory, second!, 'layer.tar'), join(directory, first!, 'layer.tar')]);
    const archive = join(scratch(t), 'image.tar');
    execFileSync('tar', ['-cf', archive, '-C', directory, '.']);
    assert.deepEqual(await paths(await open(t, archive), session(t)), [['a'], ['a']]);
  },
);
