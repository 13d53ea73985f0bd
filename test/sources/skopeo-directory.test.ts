import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../../src/flatten.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { open } from './opening.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const skopeo = (...args: string[]) => execFileSync('skopeo', ['--insecure-policy', 'copy', '-q', ...args]);

test(
  "what skopeo's dir: writes is the image, also in a tar and without its version",
  { skip: needs('skopeo') },
  async (t) => {
    const cwd = scratch(t);
    const directory = join(cwd, 'copy');
    skopeo(`docker-archive:${DEMO}`, `dir:${directory}`);
    const tree = async (input: string) => {
      const output = join(cwd, 'out.tar');
      await flatten({ input, output, force: true });
      return readFileSync(output);
    };
    const expected = await tree(DEMO);
    assert.deepEqual(await tree(directory), expected);
    assert.deepEqual(await tree(`dir:${directory}`), expected);
    execFileSync('tar', ['-cf', 'copy.tar', '-C', directory, '.'], { cwd });
    assert.deepEqual(await tree(join(cwd, 'copy.tar')), expected);
    rmSync(join(directory, 'version'));
    assert.deepEqual(await tree(directory), expected);
  },
);

test('a copy of all platforms has an index', { skip: needs('skopeo') }, async (t) => {
  const cwd = scratch(t);
  await flatten({ input: DEMO, output: `oci:${cwd}/layout:x`, platform: 'all' });
  const layout = join(cwd, 'layout');
  const [only] = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')).manifests;
  const list = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: LIST, manifests: [only] }));
  const digest = execFileSync('sha256sum', { input: list, encoding: 'utf8' }).slice(0, 64);
  writeFileSync(join(layout, 'blobs/sha256', digest), list);
  const top = { mediaType: LIST, digest: `sha256:${digest}`, size: list.length };
  writeFileSync(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [top] }));
  skopeo('--all', `oci:${layout}`, `dir:${cwd}/copy`);
  const image = await open(t, join(cwd, 'copy'));
  assert.equal(image.digest, only.digest);
  assert.equal(image.layers.length, 1);
});

const LIST = 'application/vnd.oci.image.index.v1+json';

test('dir: takes nothing else, and a blob that is missing is named', { skip: needs('skopeo') }, async (t) => {
  const cwd = scratch(t);
  await assert.rejects(open(t, `dir:${DEMO}`), {
    code: 'BAD_IMAGE',
    message: /manifest\.json is missing|no image/,
  });
  const directory = join(cwd, 'copy');
  skopeo(`docker-archive:${DEMO}`, `dir:${directory}`);
  const { config } = JSON.parse(readFileSync(join(directory, 'manifest.json'), 'utf8'));
  rmSync(join(directory, config.digest.slice(7)));
  await assert.rejects(open(t, directory), { code: 'NOT_FOUND', message: new RegExp(config.digest) });
});
