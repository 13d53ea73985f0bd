import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressLine } from '../../src/cli/progress-line.js';
import { Speed } from '../../src/cli/speed.js';

test('a line has what there is room for', () => {
  const standing = { phase: 'load', done: 5e6, total: 2e7, layer: 2, layers: 7, rate: 1e6 } as const;
  for (const [columns, line] of [
    [
      200,
      `reading layer 2 of 7  [${'#'.repeat(10)}${'.'.repeat(30)}]   25%  5.0 MB of 20.0 MB  1.0 MB/s  0:15 left`,
    ],
    [80, 'reading layer 2 of 7  [##.......]   25%  5.0 MB of 20.0 MB  1.0 MB/s  0:15 left'],
    [78, 'reading layer 2 of 7   25%  5.0 MB of 20.0 MB  1.0 MB/s  0:15 left'],
    [60, 'reading layer 2 of 7   25%  5.0 MB of 20.0 MB  0:15 left'],
    [40, 'reading layer 2 of 7   25%  0:15 left'],
    [30, 'reading layer 2 of 7   25%'],
    [20, 'reading   25%'],
    [8, '25%'],
    [3, '25'],
    [0, '2'],
  ] as const) {
    const drawn = progressLine(standing, columns);
    assert.equal(drawn, line, `${columns} columns`);
    assert.ok(drawn.length < Math.max(columns, 2));
  }
});

test('a line without a total, and one of nothing', () => {
  assert.equal(progressLine({ phase: 'open', done: 1e6, rate: 2e6 }, 80), 'opening  1.0 MB  2.0 MB/s');
  assert.equal(progressLine({ phase: 'open', done: 1e6 }, 12), 'opening');
  assert.match(progressLine({ phase: 'write', done: 0, total: 0 }, 80), /100% {2}0 B of 0 B$/);
  // All but a byte is not all.
  assert.match(progressLine({ phase: 'write', done: 999_999, total: 1_000_000 }, 30), / 99%/);
});

test('time left in hours', () => {
  const standing = { phase: 'write', done: 0, total: 3723e6, rate: 1e6 } as const;
  assert.match(progressLine(standing, 80), / 1:02:03 left$/);
});

test('a speed is known after a while, and follows', () => {
  const speed = new Speed(1000);
  speed.at(1500, 5e5);
  assert.equal(speed.rate, undefined, 'too early to tell');
  for (let time = 1600; time <= 6000; time += 100) speed.at(time, (time - 1000) * 1e3);
  assert.ok(Math.abs(speed.rate! - 1e6) < 1, `${speed.rate}`);
  const [time, done] = [6000, 5e6];
  for (let later = 100; later <= 20_000; later += 100) speed.at(time + later, done + later * 100);
  assert.ok(Math.abs(speed.rate! - 1e5) < 2e3, `${speed.rate}`);
});

test('what stands still has no speed', () => {
  const speed = new Speed(0);
  for (let time = 100; time < 9000; time += 100) speed.at(time, 0);
  assert.equal(speed.rate, undefined);
});
