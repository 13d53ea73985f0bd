import assert from 'node:assert/strict';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { DecompressPool } from '../../src/compression/decompress-pool.js';
import { Allowance } from '../../src/threads/allowance.js';
import { blobOf, liveThreads } from '../layer/blob.js';
import { scratch } from '../support/scratch.js';

const MIB = 2 ** 20;

test('small jobs take no thread', async (t) => {
  const threads = new DecompressPool();
  const job = { input: blobOf(t, gzipSync('small')), compression: 'gzip', uncompressed: 'sha256' } as const;
  const running = threads.run(job, { signal: new AbortController().signal });
  assert.equal(liveThreads(), 0);
  assert.equal((await running).size, 5);
  await threads.close();
});

test('a small job that is aborted stops at once, and writes no more to what was its file', async (t) => {
  const directory = scratch(t);
  const size = 256 * MIB;
  const input = blobOf(t, gzipSync(Buffer.alloc(size)));
  const fd = openSync(join(directory, 'output'), 'w+');
  const output = { fd, allowances: [new Allowance(size).shared] };
  const stop = new AbortController();
  const threads = new DecompressPool();
  let isOver = false;
  const running = threads.run({ input, compression: 'gzip', output }, { signal: stop.signal });
  const ended = assert.rejects(running, { code: 'INTERRUPTED' }).then(() => {
    isOver = true;
    assert.ok(fstatSync(fd).size < size / 2);
    closeSync(fd);
    return openSync(join(directory, 'other'), 'w+');
  });
  while (!isOver) {
    if (!stop.signal.aborted && fstatSync(fd).size > 0) stop.abort();
    await setImmediate();
  }
  const other = await ended;
  assert.equal(other, fd);
  for (let turns = 0; turns < 20; turns++) await setImmediate(); // what was pending has had its turn
  assert.equal(fstatSync(other).size, 0);
  closeSync(other);
  await threads.close();
});

test('between small jobs the event loop turns: an abort is heard', async (t) => {
  const input = blobOf(t, Buffer.alloc(MIB));
  const stop = new AbortController();
  const threads = new DecompressPool();
  const job = { input, compression: 'none', stored: 'sha256' } as const;
  const jobs = Array.from({ length: 20 }, () => threads.runAside(job, { signal: stop.signal }));
  await setImmediate();
  stop.abort();
  const outcomes = await Promise.allSettled(jobs);
  assert.ok(outcomes.filter(({ status }) => status === 'rejected').length > 10);
  await threads.close();
});
