import assert from 'node:assert/strict';
import { test } from 'node:test';
import { showDate } from '../../src/rootfs/date.js';

test('times as dates', () => {
  for (const [nanoseconds, date] of [
    [0n, '1970-01-01T00:00:00Z'],
    [1_614_834_367_500_000_000n, '2021-03-04T05:06:07.5Z'],
    [1_614_834_367_000_000_001n, '2021-03-04T05:06:07.000000001Z'],
    [-1n, '1969-12-31T23:59:59.999999999Z'],
    [-1_000_000_000n, '1969-12-31T23:59:59Z'],
    [2n ** 34n * 1_000_000_000n, '2514-05-30T01:53:04Z'],
    [253_402_300_800n * 1_000_000_000n, '+010000-01-01T00:00:00Z'],
    [10n ** 13n * 1_000_000_000n + 5n, '@10000000000000.000000005'],
  ] as const)
    assert.equal(showDate(nanoseconds), date);
});
