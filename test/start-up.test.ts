import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';

const CLI = join(PROJECT, 'dist/src/cli.js');
const DEMO = join(PROJECT, 'test/images/demo.tar');

/** The rooms of src/ from which a run loads code, and the packages. V8 lists what it has run. */
function loaded(t: TestContext, ...args: string[]): Set<string> {
  const cwd = scratch(t);
  const listing = join(cwd, 'loaded');
  execFileSync(process.execPath, [CLI, ...args], {
    cwd,
    env: { ...process.env, NODE_V8_COVERAGE: listing },
    stdio: 'pipe',
  });
  const urls = readdirSync(listing).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(listing, name), 'utf8')) as { result: { url: string }[] };
    return result.map(({ url }) => url);
  });
  const places = urls.map((url) =>
    /\/dist\/src\/([^/]+)\/(?!settings\.js)|\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(url),
  );
  return new Set(places.flatMap((match) => match?.[1] ?? match?.[2] ?? []));
}

/** What few runs need, and all would wait for. */
const SELDOM = [
  'ext',
  'erofs',
  'disk',
  'verity',
  'registry',
  'cache',
  'engine',
  'undici',
  'execa',
  'tar-stream',
  'inspect',
  'diff',
  'd3-hierarchy',
];

test('a run loads no code of formats, registries and engines that it has nothing to do with', (t) => {
  for (const output of ['rootfs/', 'flat.tar']) {
    const places = loaded(t, DEMO, '-o', output, '--quiet');
    assert.ok(
      places.has('sources') && places.has('sinks') && places.has('commander'),
      'the listing is whole',
    );
    assert.deepEqual(
      SELDOM.filter((place) => places.has(place)),
      [],
      output,
    );
  }
  const disk = loaded(t, DEMO, '-o', 'disk.erofs', '--quiet');
  assert.deepEqual(
    SELDOM.filter((place) => disk.has(place)),
    ['erofs', 'disk'],
  );
});

test('the version is told without the code that does the work', (t) => {
  const places = loaded(t, '--version');
  assert.ok(places.has('cli'));
  for (const place of ['layer', 'tar', 'threads', 'compression', ...SELDOM])
    assert.ok(!places.has(place), place);
});
