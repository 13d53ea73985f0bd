import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { run } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { DEMO, squash, sum } from './made.js';

const OUTPUTS: readonly (readonly string[])[] = [
  ['docker-archive:a.tar:app:1'],
  ['docker-archive:a.tar:app:1', '--format', 'docker-archive-v1'],
  ['oci-archive:a.tar:1'],
  ['oci-archive:a.tar:1', '--compression', 'gzip'],
  ['oci-archive:a.tar:1', '--compression', 'zstd:7'],
  ['docker-archive:a.tar', '--last', '2', '-c', 'ENV A=1', '-m', 'x'],
];

test('the same image and options are the same bytes, wherever, whenever and by whom', (t) => {
  for (const args of OUTPUTS) {
    const made = [
      { TZ: 'UTC', LC_ALL: 'C' },
      { TZ: 'Asia/Kathmandu', LC_ALL: 'C.UTF-8', HOME: '/nonexistent' },
    ].map((env) => {
      const cwd = scratch(t);
      const { code, stderr } = run([DEMO, '-q', '-o', ...args], { cwd, env });
      assert.equal(code, 0, stderr);
      return sum(readFileSync(join(cwd, 'a.tar')));
    });
    assert.equal(made[0], made[1], args.join(' '));
  }
});

test('a squashed image that is squashed again has the same layer', async (t) => {
  const directory = scratch(t);
  const [first, second] = ['first', 'second'].map((name) => join(directory, name));
  await squash(`oci:${first}`);
  await squash(`oci:${second}`, { input: first! });
  const layerOf = (layout: string) => {
    const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
    const path = join(layout, 'blobs', manifests[0].digest.replace(':', '/'));
    return JSON.parse(readFileSync(path, 'utf8')).layers;
  };
  assert.deepEqual(layerOf(second!), layerOf(first!));
});

test('a root filesystem gives the same image from its tar in any order, at any time', async (t) => {
  const directory = scratch(t);
  const tar = join(directory, 'flat.tar');
  await squash(tar);
  const options = { input: `rootfs:${tar}`, platform: 'linux/amd64' };
  const [one, two] = [join(directory, 'one.tar'), join(directory, 'two.tar')];
  await squash(`docker-archive:${one}`, options);
  const second = () => Math.floor(Date.now() / 1000);
  for (const first = second(); second() === first; ) await setTimeout(10);
  await squash(`docker-archive:${two}`, options);
  assert.equal(sum(readFileSync(one)), sum(readFileSync(two)));
});
