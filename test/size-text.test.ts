import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countText, sizeText } from '../src/size-text.js';

test('sizes in messages have units', () => {
  for (const [bytes, text] of [
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [1000, '1,000 bytes'],
    [1024, '1 KiB'],
    [1025, '1,025 bytes'],
    [10_000, '10,000 bytes (10.0 kB)'],
    [8_417_280, '8,417,280 bytes (8.4 MB)'],
    [8_417_281, '8,417,281 bytes (8.4 MB)'],
    [2 ** 20, '1 MiB'],
    [2 ** 36, '64 GiB'],
    [2 ** 40 + 1, '1,099,511,627,777 bytes (1.1 TB)'],
    [1.5 * 2 ** 30, '1,610,612,736 bytes (1.6 GB)'],
    [999_999_999, '999,999,999 bytes (1.0 GB)'],
    [2 ** 53 - 1, '9,007,199,254,740,991 bytes (9.0 PB)'],
  ] as const)
    assert.equal(sizeText(bytes), text);
  assert.equal(countText(2_000_000), '2,000,000');
  assert.equal(countText(999), '999');
});
