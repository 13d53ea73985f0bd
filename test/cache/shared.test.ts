/** One cache, several processes. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { FetchBlob } from '../../src/cache/arrive.js';
import { BlobCache } from '../../src/cache/cache.js';
import { isOfTheDead, lockIsFree, tryLock } from '../../src/cache/lock.js';
import { scratch } from '../support/scratch.js';
import { bytesIn, madeBlob } from './served.js';

const CHILD = fileURLToPath(new URL('./fetch-child.js', import.meta.url));

/** An http server of some bytes by range; `answer` sends them. */
async function server(
  t: TestContext,
  bytes: Buffer,
  answer: (response: ServerResponse, rest: Buffer) => void,
) {
  const offsets: number[] = [];
  const listening = createServer((request, response) => {
    const offset = Number(/\d+/.exec(request.headers.range ?? '')![0]);
    offsets.push(offset);
    answer(response, bytes.subarray(offset));
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  t.after(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return { offsets, url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}/` };
}

interface Child {
  readonly process: ChildProcessByStdio<null, Readable, null>;
  /** What it has printed when it ended. */
  readonly printed: Promise<string>;
}

function child(...args: string[]): Child {
  const started = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const printed = started.stdout.toArray().then((chunks) => Buffer.concat(chunks).toString().trim());
  return { process: started, printed };
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await setTimeout(20);
}

test('two processes want a blob at once: it is fetched once', async (t) => {
  const { bytes, blob } = madeBlob(1_000_000);
  const held: (() => void)[] = [];
  const { url, offsets } = await server(t, bytes, (response, rest) => held.push(() => response.end(rest)));
  const args = [join(scratch(t), 'cache'), scratch(t), url, blob.digest, String(blob.size)];
  const children = [child(...args), child(...args), child(...args)];
  await until(() => held.length > 0);
  await setTimeout(1500); // for the others to come as far
  await until(() => {
    for (const go of held.splice(0)) go();
    return children.every(({ process }) => process.exitCode !== null);
  });
  for (const { printed } of children) assert.equal(await printed, blob.digest);
  assert.deepEqual(offsets, [0]);
});

test('the process that fetches is killed: one that waits goes on where it stopped', async (t) => {
  const { bytes, blob } = madeBlob(1_000_000);
  const { url, offsets } = await server(t, bytes, (response, rest) => {
    if (offsets.length === 1) response.write(rest.subarray(0, 400_000));
    else response.end(rest);
  });
  const path = join(scratch(t), 'cache');
  const args = [path, scratch(t), url, blob.digest, String(blob.size)];
  const part = join(path, 'partial', blob.digest.replace(':', '-'));
  const first = child(...args);
  await until(() => existsSync(part) && statSync(part).size === 400_000);
  const second = child(...args);
  await setTimeout(500); // mostly, it waits by now; where it does not yet, it finds the part all the same
  first.process.kill('SIGKILL');
  assert.equal(await second.printed, blob.digest);
  assert.deepEqual(offsets, [0, 400_000]);
  assert.deepEqual(readdirSync(join(path, 'partial')), []);
});

test("a lock is one holder's until it is released, and is waited for", async (t) => {
  const path = join(scratch(t), 'lock');
  const lock = tryLock(path)!;
  assert.equal(tryLock(path), undefined);
  assert.equal(isOfTheDead(path), false);
  let isFree = false;
  const free = lockIsFree(path, new AbortController().signal).then(() => {
    isFree = true;
  });
  await setTimeout(300);
  assert.equal(isFree, false);
  lock.release();
  await free;
  assert.equal(existsSync(path), false);
});

test("a lock of another machine is nobody's once it shows no sign of life, and not before", async (t) => {
  const path = join(scratch(t), 'lock');
  const stop = new AbortController();
  writeFileSync(path, 'another-kernel/pid:[1] 1 1\n');
  assert.equal(isOfTheDead(path), false);
  const waiting = lockIsFree(path, stop.signal, { staleMs: 1e6 });
  stop.abort();
  await assert.rejects(waiting, { code: 'INTERRUPTED' });
  assert.ok(existsSync(path));
  await lockIsFree(path, new AbortController().signal, { staleMs: 200 });
  assert.equal(existsSync(path), false);
  assert.ok(tryLock(path));
});

test("a lock of a process that is no more is nobody's, also where its id is in use again", async (t) => {
  const path = join(scratch(t), 'lock');
  const lock = tryLock(path)!;
  const [kernel, pid, start] = readFileSync(path, 'utf8').trim().split(' ');
  lock.release();
  for (const dead of [`${kernel} 4194304 ${start}`, `${kernel} ${pid} ${Number(start) - 1}`]) {
    writeFileSync(path, dead);
    assert.ok(isOfTheDead(path), dead);
    await lockIsFree(path, new AbortController().signal, { staleMs: 1e6 });
    assert.equal(existsSync(path), false);
  }
});

/** Bytes that come up to a place, then as it is told, then the rest. */
function held(bytes: Buffer, place: number) {
  let go = () => {};
  const told = new Promise<void>((resolve) => {
    go = resolve;
  });
  let reach = () => {};
  const reached = new Promise<void>((resolve) => {
    reach = resolve;
  });
  const offsets: number[] = [];
  const fetch: FetchBlob = async ({ offset }) => {
    offsets.push(offset);
    return (async function* () {
      yield bytes.subarray(offset, Math.max(offset, place));
      reach();
      await told;
      yield bytes.subarray(Math.max(offset, place));
    })();
  };
  return { fetch, go, reached, offsets };
}

for (const way of ['open', 'stream'] as const) {
  test(`a fetcher that was stopped goes on after another has taken over, with wrong bytes: ${way}`, async (t) => {
    const { bytes, blob } = madeBlob(1_000_000);
    const wrong = Buffer.concat([bytes.subarray(0, 400_000), Buffer.alloc(600_000, 1)]);
    const path = join(scratch(t), 'cache');
    const taken = async (cache: BlobCache, fetch: FetchBlob) => {
      if (way === 'open') return bytesIn((await cache.open(blob, fetch)).fd, blob.size);
      const chunks: Uint8Array[] = [];
      for await (const chunk of cache.stream(blob, fetch)) chunks.push(chunk);
      return Buffer.concat(chunks);
    };
    const of = (staleMs: number) =>
      new BlobCache(
        path,
        { signal: new AbortController().signal, tmp: scratch(t), report: () => {} },
        { staleMs },
      );
    const [stopped, other] = [held(wrong, 400_000), held(bytes, 700_000)];
    const first = taken(of(1e6), stopped.fetch).then(
      () => 'came',
      () => 'failed',
    );
    await stopped.reached;
    // Shorter than the time between two signs of life: to the other one the first is silent.
    const second = taken(of(200), other.fetch);
    await other.reached;
    stopped.go();
    assert.equal(await first, way === 'open' ? 'failed' : 'came'); // who reads a stream compares it
    other.go();
    assert.ok((await second).equals(bytes));
    assert.deepEqual(other.offsets, [400_000]);
    assert.ok(readFileSync(join(path, 'blobs', ...blob.digest.split(':'))).equals(bytes));
    assert.deepEqual(readdirSync(join(path, 'partial')), []);
  });
}
