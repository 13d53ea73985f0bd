import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { ZstdFrames } from '../../src/compression/zstd-frames.js';
import { someBytes } from '../layer/blob.js';
import { needs } from '../support/needs.js';

test('tells the largest window of all frames, however the bytes come', { skip: needs('zstd') }, () => {
  const input = someBytes(300_000);
  const zstd = (...args: string[]) => spawnSync('zstd', ['-c', ...args], { input, maxBuffer: 1e7 }).stdout;
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  const plain = [zstd('-1'), skippable, zstd('--no-check', '-3')];
  for (const [frames, window] of [
    [plain, 2 ** 21],
    [[...plain, zstd('--long=27'), skippable], 2 ** 27],
    [[zstd('--ultra', '-22'), ...plain], 2 ** 27],
    [[zstd('--stream-size=300000', '-19')], 300_000],
  ] as const) {
    const bytes = Buffer.concat(frames);
    for (const step of [1, 1000, bytes.length]) {
      const walk = new ZstdFrames();
      for (let at = 0; at < bytes.length; at += step) walk.add(bytes.subarray(at, at + step));
      assert.equal(walk.window, window, `${step} bytes at a time`);
    }
  }
});
