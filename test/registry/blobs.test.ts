/** Blobs from a server that cuts, lies and lies again. */
import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { LARGE } from '../../src/registry/ranges.js';
import { blobOf, partial, read, repositoryAt, scripted } from '../support/scripted-registry.js';

const { bytes, descriptor } = blobOf(3 * 2 ** 20 + 5);

test('a connection that is cut is made again, and the blob goes on where it stopped', async (t) => {
  const { host, asked } = await scripted(t, (request, response, path) => {
    if (!path.startsWith('/v2/app/blobs/')) return;
    partial(bytes, request, response, request.headers.range?.startsWith('bytes=2000000') ? 4000 : 2_000_000);
  });
  const { repository, waits } = repositoryAt(t, host);
  assert.ok((await read(repository, descriptor)).equals(bytes));
  const ranges = asked.filter((line) => line.includes('bytes=')).map((line) => line.replace(/.*bytes=/, ''));
  assert.deepEqual(ranges, [`2000000-${bytes.length - 1}`, `2004000-${bytes.length - 1}`]);
  assert.equal(waits.length, 2);
});

test('a blob from an offset on', async (t) => {
  const { host } = await scripted(t, (request, response, path) => {
    if (path.startsWith('/v2/app/blobs/')) partial(bytes, request, response);
  });
  const { repository } = repositoryAt(t, host);
  assert.ok((await read(repository, descriptor, 1_000_001)).equals(bytes.subarray(1_000_001)));
  assert.equal((await read(repository, descriptor, descriptor.size)).length, 0);
});

test('a server without ranges sends all again: what is there is passed over', async (t) => {
  let count = 0;
  const { host } = await scripted(t, (request, response, path) => {
    if (!path.startsWith('/v2/app/blobs/')) return;
    delete request.headers.range;
    partial(bytes, request, response, count++ === 0 ? 1_500_000 : undefined);
  });
  const { repository } = repositoryAt(t, host);
  assert.ok((await read(repository, descriptor)).equals(bytes));
  assert.equal(count, 2);
});

test('a connection that is cut at once, every time, ends in an error that names the server', async (t) => {
  const { host, asked } = await scripted(t, (request, response, path) => {
    if (path.startsWith('/v2/app/blobs/')) partial(bytes, request, response, 100);
  });
  const { repository, waits } = repositoryAt(t, host);
  await assert.rejects(read(repository, descriptor), { code: 'NETWORK', message: new RegExp(host) });
  assert.equal(asked.filter((line) => line.includes('/blobs/')).length, 6);
  assert.deepEqual(waits, [375, 750, 1500, 3000, 6000]);
});

const LIES: Readonly<Record<string, (response: ServerResponse, range: string | undefined) => unknown>> = {
  'another size': (response) => response.writeHead(200, { 'content-length': 10 }).end(bytes.subarray(0, 10)),
  'no end': async (response) => {
    response.writeHead(200);
    while (!response.destroyed && !response.writableEnded)
      await new Promise((resolve) => response.write(bytes, () => setImmediate(resolve)));
  },
  'another range than was asked for': (response, range) => {
    if (range === undefined) {
      response.writeHead(200, { 'content-length': bytes.length });
      return response.write(bytes.subarray(0, 100), () => setImmediate(() => response.destroy()));
    }
    const end = bytes.length - 1;
    response.writeHead(206, {
      'content-range': `bytes 0-${end}/${bytes.length}`,
      'content-length': bytes.length,
    });
    return response.end(bytes);
  },
};

for (const [lie, answer] of Object.entries(LIES)) {
  test(`${lie}: it is refused, and nothing of it is taken`, async (t) => {
    const { host } = await scripted(t, (request, response, path) => {
      if (path.startsWith('/v2/app/blobs/')) void answer(response, request.headers.range);
    });
    const { repository } = repositoryAt(t, host);
    await assert.rejects(read(repository, descriptor), { code: 'DIGEST_MISMATCH' });
  });
}

const large = blobOf(LARGE + 2 ** 20);

test('a large blob comes in bounded ranges over several connections, some of which are cut', async (t) => {
  let open = 0;
  let most = 0;
  let cuts = 3;
  const { host, asked } = await scripted(t, (request, response, path) => {
    if (!path.startsWith('/v2/app/blobs/')) return undefined;
    most = Math.max(most, ++open);
    response.on('close', () => open--);
    return setTimeout(20).then(() =>
      partial(large.bytes, request, response, cuts-- > 0 ? 1_000_000 : undefined),
    );
  });
  const { repository } = repositoryAt(t, host);
  assert.ok((await read(repository, large.descriptor, 7)).equals(large.bytes.subarray(7)));
  assert.ok(most > 1 && most <= 8, `${most} at a time`);
  for (const line of asked.filter((each) => each.includes('/blobs/'))) {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(line)!;
    assert.ok(Number(to) - Number(from) < 4 * 2 ** 20, line);
  }
});

test('a large blob from a server without ranges comes in one piece', async (t) => {
  const { host, asked } = await scripted(t, (request, response, path) => {
    if (!path.startsWith('/v2/app/blobs/')) return;
    delete request.headers.range;
    partial(large.bytes, request, response);
  });
  const { repository } = repositoryAt(t, host);
  assert.ok((await read(repository, large.descriptor)).equals(large.bytes));
  assert.equal(asked.filter((line) => line.includes('/blobs/')).length, 1);
});

test('whoever stops early ends all connections', async (t) => {
  const { host } = await scripted(t, (request, response, path) => {
    if (path.startsWith('/v2/app/blobs/')) partial(large.bytes, request, response);
  });
  const { repository } = repositoryAt(t, host);
  const stop = new AbortController();
  const reading = async () => {
    for await (const _ of await repository.fetchBlob(large.descriptor, { signal: stop.signal })) stop.abort();
  };
  await assert.rejects(reading(), { code: 'INTERRUPTED' });
});
