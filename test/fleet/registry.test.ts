/** `flatten batch` of images in a registry: what they share is fetched once, and a run with nothing to do asks for tags alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { ociFiles, writeFiles } from '../support/image.js';
import { needs } from '../support/needs.js';
import { start } from '../support/program.js';
import { push, startRegistry } from '../support/registry.js';
import { scratch } from '../support/scratch.js';
import { archive } from '../support/tar.js';
import { reportAt } from './images.js';

const skip = needs('docker-registry', 'skopeo');

/** Stands before a registry, and counts what it is asked for. */
async function counting(t: TestContext, upstream: string): Promise<{ host: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    const { method, url, headers } = incoming;
    const [hostname, port] = upstream.split(':');
    const onward = request({ hostname, port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Not synchronously: what counts is in this process. */
async function batch(cwd: string, ...args: string[]) {
  const child = start(['batch', ...args], {
    cwd,
    env: { ...process.env, FLATTEN_CACHE: join(cwd, 'cache') },
  });
  const stderr = text(child.stderr!);
  const [code] = await once(child, 'exit');
  return { code, stderr: await stderr };
}

const layer = (name: string) => ({
  tar: archive([{ path: name, body: Buffer.from(name.repeat(1000)) }]),
  compression: 'gzip' as const,
});

async function made(t: TestContext) {
  const registry = await startRegistry(t);
  const cwd = scratch(t);
  const pushed = async (name: string, layers: readonly ReturnType<typeof layer>[]) => {
    const directory = join(cwd, 'layouts', name.replaceAll(/[:/]/g, '-'));
    mkdirSync(directory, { recursive: true });
    writeFiles(directory, ociFiles(layers));
    await push(registry, `oci:${directory}:latest`, name);
  };
  const bases = [layer('base-a'), layer('base-b')];
  for (const number of [1, 2, 3, 4, 5, 6])
    await pushed(`team/app:${number}`, [bases[number % 2]!, layer(`own-${number}`)]);
  const { host, asked } = await counting(t, registry.host);
  const references = [1, 2, 3, 4, 5, 6].map((number) => `docker://${host}/team/app:${number}`);
  return { cwd, host, asked, references, pushed, bases };
}

test('each blob is fetched once, and a run with nothing to do asks for tags alone', { skip }, async (t) => {
  const { cwd, host, asked, references, pushed, bases } = await made(t);
  writeFileSync(join(cwd, 'list'), `${references.join('\n')}\ndocker://${host}/team/app:none\n`);
  const args = ['list', '-o', 'x/{repository}/{tag}.tar', '-j', '3', '--report', 'report'];
  const first = await batch(cwd, ...args);
  assert.equal(first.code, 3, first.stderr);
  assert.match(first.stderr, /^7 images: 6 done, 0 up to date, 1 failed/m);
  assert.match(first.stderr, /list:7: docker:\/\/\S+none: .*none.*\n/);
  const blobs = asked.filter((line) => line.startsWith('GET') && line.includes('/blobs/'));
  assert.equal(new Set(blobs).size, blobs.length, 'no blob is asked for twice');
  assert.equal(blobs.length, 2 + 6 + 6, 'two bases, a layer and a config for each image');
  const report = reportAt(join(cwd, 'report')).filter(({ state }) => state === 'done');
  assert.ok(report.every(({ fetched }) => Number(fetched) > 0));
  assert.ok(report.some(({ cached }) => Number(cached) > 0));
  for (const [index, reference] of references.entries()) {
    const child = start([reference, '-o', `single-${index}.tar`, '-q'], {
      cwd,
      env: { ...process.env, FLATTEN_CACHE: join(cwd, 'cache') },
    });
    await once(child, 'exit');
    const single = readFileSync(join(cwd, `single-${index}.tar`));
    assert.ok(single.equals(readFileSync(join(cwd, `x/team/app/${index + 1}.tar`))), reference);
  }

  writeFileSync(join(cwd, 'list'), references.join('\n'));
  asked.length = 0;
  const second = await batch(cwd, ...args);
  assert.match(second.stderr, /^6 images: 0 done, 6 up to date/m);
  assert.deepEqual(
    asked.filter((line) => !/ \/v2\/$/.test(line)).sort(),
    references.map((_, index) => `HEAD /v2/team/app/manifests/${index + 1}`),
  );

  await pushed('team/app:3', [bases[0]!, layer('moved')]);
  const third = await batch(cwd, ...args);
  assert.match(third.stderr, /^6 images: 1 done, 5 up to date/m);
  assert.match(third.stderr, /^x\/team\/app\/3\.tar: 3 entries/m);
});

test('a registry that is gone fails each of its images, and no other one', { skip }, async (t) => {
  const { cwd, references } = await made(t);
  writeFileSync(join(cwd, 'list'), `docker://127.0.0.1:1/app:1\n${references[0]}\n`);
  const { code, stderr } = await batch(cwd, 'list', '-o', 'x/{registry}/{name}-{tag}.tar');
  assert.equal(code, 3);
  assert.match(stderr, /^2 images: 1 done, 0 up to date, 1 failed/m);
  assert.match(stderr, /list:1: docker:\/\/127\.0\.0\.1:1\/app:1: /);
});
