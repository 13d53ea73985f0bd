import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePercent, parseSize, parseSizeOrShare } from '../../src/cli/numbers.js';

test('sizes: letters alone and iB are powers of 1024, B of 1000', () => {
  for (const [text, size] of [
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['1K', 1024],
    ['1kB', 1000],
    ['1KiB', 1024],
    ['64m', 2 ** 26],
    ['64MB', 64_000_000],
    ['1G', 2 ** 30],
    ['1GiB', 2 ** 30],
    ['1gib', 2 ** 30],
    ['1GB', 10 ** 9],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['0.1K', 102],
    ['2T', 2 ** 41],
    ['2TB', 2 * 10 ** 12],
  ] as const)
    assert.equal(parseSize(text), size, text);
});

test('what is no size says what one is', () => {
  for (const text of [
    '',
    'G',
    '-1',
    '1e3',
    '0x10',
    '1GG',
    '5iB',
    '1 000',
    '1,5G',
    '10%',
    '9007199254740993',
    'much',
  ])
    assert.throws(
      () => parseSize(text),
      { message: /64M, 64MiB \(1024 x 1024\) or 64MB \(1000 x 1000\)/ },
      text,
    );
});

test('percent', () => {
  assert.deepEqual(parseSizeOrShare('10%'), { percent: 10 });
  assert.deepEqual(parseSizeOrShare('0.5 %'), { percent: 0.5 });
  assert.equal(parseSizeOrShare('10M'), 10 * 2 ** 20);
  assert.equal(parsePercent('5'), 5);
  assert.equal(parsePercent('5%'), 5);
  for (const text of ['%', '-1%', '5%%', 'five'])
    assert.throws(() => parsePercent(text), { message: /percent/ }, text);
});
