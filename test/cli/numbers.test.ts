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
    // In floating point these are a byte less.
    ['1.001GB', 1_001_000_000],
    ['1.009 gb', 1_009_000_000],
    ['2.3TB', 2_300_000_000_000],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['1.99999999999999999999K', 2047],
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
    '1.5',
    '1.5B',
    '1.G',
    '.5G',
    '1P',
    '-1G',
    '+1G',
    'Infinity',
    'NaN',
    '1 000',
    '1,5G',
    '10%',
    '9007199254740993',
    'much',
  ])
    assert.throws(
      () => parseSize(text),
      { message: /as 1073741824, or as 1G or 1GiB \(1024\^3 bytes\) or 1GB \(1000\^3 bytes\)/ },
      text,
    );
  assert.throws(() => parseSize('10%'), { message: /Only --free and --reserved take percent/ });
  assert.throws(() => parseSizeOrShare('much'), { message: /1GiB .* as 10%/ });
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
