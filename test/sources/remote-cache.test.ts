/** Images of a real registry by way of the cache: what a second run asks for. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request as ask, createServer } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { DEMO } from '../sinks/image/made.js';
import { listening } from '../support/listening.js';
import { needs } from '../support/needs.js';
import { push, startRegistry } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { open, paths, session } from './opening.js';

const skip = needs('docker-registry', 'skopeo');

/** A registry with the demo image, and all that it is asked, but for where it is. */
async function withDemo(t: TestContext) {
  const registry = await startRegistry(t);
  await push(registry, `docker-archive:${DEMO}`, 'team/demo:1.0');
  const asked: string[] = [];
  const [hostname, port] = registry.host.split(':');
  const proxy = createServer((request, response) => {
    const { method, url = '', headers } = request;
    if (url !== '/v2/') asked.push(`${method} ${url.replace('/v2/team/demo/', '')}`);
    ask({ hostname, port, method, path: url, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    }).end();
  });
  const host = new URL(await listening(t, proxy)).host;
  const cache = { path: join(scratch(t), 'cache'), size: 1e9 };
  const run = async (name: string) => {
    asked.length = 0;
    const context = session(t, { cache });
    const image = await open(t, `docker://${host}/team/demo${name}`, {}, context);
    return { image, paths: await paths(image, context), asked: [...asked], warnings: context.warnings };
  };
  return { run, cache, blobs: join(cache.path, 'blobs/sha256') };
}

test('a second run asks for the digest of the tag, and by digest for nothing', { skip }, async (t) => {
  const { run, blobs } = await withDemo(t);
  const first = await run(':1.0');
  const fetched = first.asked.filter((each) => each.startsWith('GET'));
  assert.equal(fetched.length, 6, fetched.join()); // the manifest, the config, four layers
  assert.equal(readdirSync(blobs).length, 6);
  const second = await run(':1.0');
  assert.deepEqual(second.asked, ['HEAD manifests/1.0']);
  assert.deepEqual(second.paths, first.paths);
  const third = await run(`@${first.image.digest}`);
  assert.deepEqual(third.asked, []);
  assert.deepEqual(third.paths, first.paths);
  assert.deepEqual(
    [first, second, third].flatMap(({ warnings }) => warnings),
    [],
  );
});

test('whatever is damaged in the cache is fetched again, and nothing else', { skip }, async (t) => {
  const { run, blobs } = await withDemo(t);
  const first = await run(':1.0');
  for (const name of readdirSync(blobs)) {
    const file = join(blobs, name);
    const good = readFileSync(file);
    const bad = Buffer.from(good);
    bad[bad.length - 1]! ^= 1;
    writeFileSync(file, bad);
    const again = await run(':1.0');
    assert.deepEqual(again.paths, first.paths);
    assert.deepEqual(
      again.asked.filter((each) => each.startsWith('GET')).map((each) => each.replace(/.*sha256:/, '')),
      [again.asked.includes('GET manifests/1.0') ? 'GET manifests/1.0' : name],
    );
    assert.ok(readFileSync(file).equals(good));
  }
});

test('a run leaves no more in the cache than it may', { skip }, async (t) => {
  const { run, cache, blobs } = await withDemo(t);
  cache.size = 0;
  const { image } = await run(':1.0');
  assert.equal(readdirSync(blobs).length, 6);
  await image.close();
  assert.deepEqual(readdirSync(blobs), []);
});
