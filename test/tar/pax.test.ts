import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { NO_PAX, parsePax, paxInteger, paxNumber, paxSays, paxTime, paxXattrs } from '../../src/tar/pax.js';
import { runs } from '../support/stacks.js';
import { decimal, paxRecord } from '../support/tar.js';

const latin1 = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('latin1'));
const key = latin1.map((text) => text.replaceAll('=', '')).filter((text) => text !== '');
const records = fc.array(fc.tuple(key, latin1));

test('records of any bytes read as they were written, in order', () => {
  fc.assert(
    fc.property(records, fc.integer({ min: 0, max: 20 }), (records, padding) => {
      const body = Buffer.concat([
        ...records.map(([key, value]) => paxRecord(key, value)),
        Buffer.alloc(padding),
      ]);
      assert.deepEqual(parsePax(body), records);
    }),
    runs(500),
  );
});

test('records that are none', () => {
  for (const [body, what] of [
    ['9 path=ab\n', 'does not end'],
    ['12 path=ab\n', 'cut short'],
    ['10 path=abc', 'does not end'],
    ['3 \n', 'no key'],
    ['5 =a\n', 'no key'],
    ['7 path\n', 'no key'],
    ['7 path\n5 b=\n', 'no key'],
    [' 5 a=\n', 'no length'],
    ['-5 a=\n', 'no length'],
    ['0 a=\n', 'does not end'],
    ['00000000000005 a=\n', 'no length'],
    ['99999999 a=\n', 'cut short'],
    ['x', 'no length'],
    ['5', 'no length'],
    ['5 a=\n\0\0x', 'no length'],
  ] as const) {
    assert.throws(() => parsePax(Buffer.from(body)), { code: 'BAD_LAYER', message: new RegExp(what) }, body);
  }
});

test('any bytes are records or an error', () => {
  const digits = fc.constantFrom(...'0123456789 =\n\0a').map((char) => char.charCodeAt(0));
  fc.assert(
    fc.property(fc.array(digits, { maxLength: 40 }), (body) => {
      try {
        parsePax(Buffer.from(body));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'BAD_LAYER');
      }
    }),
    runs(2000),
  );
});

test('the last of a key counts, and an empty value takes it back', () => {
  const defaults = new Map([
    ['uid', '1'],
    ['path', 'global'],
  ]);
  const { fields, unread } = paxSays({ fields: defaults, unread: [] }, [
    ['uid', '2'],
    ['uid', '3'],
    ['gid', '4'],
    ['gid', ''],
    ['path', ''],
    ['SCHILY.xattr.user.empty', ''],
    ['comment', 'not kept'],
    ['uid.fake', '9'],
  ]);
  assert.deepEqual(
    [...fields],
    [
      ['uid', '3'],
      ['SCHILY.xattr.user.empty', ''],
    ],
  );
  assert.deepEqual(unread, ['uid.fake']);
  assert.equal(defaults.get('path'), 'global');
});

test('xattrs: raw bytes beat base64', () => {
  const xattrs = paxXattrs(
    new Map(
      [
        ['SCHILY.xattr.user.a', 'raw\0\xff'],
        ['LIBARCHIVE.xattr.user.a', 'QUJD'],
        ['LIBARCHIVE.xattr.user.%00%C3%a9%2', 'AP8'],
        ['LIBARCHIVE.xattr.user.b%3d%25', 'AP8='],
        ['path', 'x'],
      ].filter(([key]) => !key!.includes('%00')) as [string, string][],
    ),
  );
  assert.deepEqual(
    [...xattrs].map(([name, value]) => [name, value.toString('latin1')]),
    [
      ['user.a', 'raw\0\xff'],
      ['user.b=%', '\0\xff'],
    ],
  );
  for (const key of ['SCHILY.xattr.', 'SCHILY.xattr.a\0b', 'LIBARCHIVE.xattr.a%00']) {
    assert.throws(() => paxXattrs(new Map([[key, 'x']])), { code: 'BAD_LAYER' });
  }
});

test('a key out of the prototype is a key', () => {
  const { fields } = paxSays(
    NO_PAX,
    parsePax(Buffer.concat([paxRecord('__proto__', 'x'), paxRecord('SCHILY.xattr.__proto__', 'y')])),
  );
  assert.deepEqual(
    [...paxXattrs(fields)].map(([name]) => name),
    ['__proto__'],
  );
  assert.equal(({} as Record<string, unknown>).path, undefined);
});

test('times keep sign and nine digits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 24n) + 1n, max: 10n ** 24n - 1n }), (time) => {
      assert.equal(paxTime(decimal(time), 'mtime'), time);
    }),
    runs(500),
  );
  for (const [text, time] of [
    ['0', 0n],
    ['-0', 0n],
    ['+1', 10n ** 9n],
    ['1.', 10n ** 9n],
    ['1.5', 15n * 10n ** 8n],
    ['-1.5', -15n * 10n ** 8n],
    ['-0.000000001', -1n],
    ['1.0000000019', 1_000_000_001n],
    ['0000000001.000000000', 10n ** 9n],
  ] as const) {
    assert.equal(paxTime(text, 'mtime'), time, text);
  }
  for (const wrong of [
    '',
    '.5',
    '-',
    '1e9',
    '1.5.5',
    '1,5',
    ' 1',
    '0x10',
    'NaN',
    'Infinity',
    '9'.repeat(16),
    '--1',
  ]) {
    assert.throws(() => paxTime(wrong, 'mtime'), { code: 'BAD_LAYER' }, wrong);
  }
});

test('numbers are digits and exact', () => {
  assert.equal(paxNumber('9007199254740991', 'size'), Number.MAX_SAFE_INTEGER);
  assert.equal(paxNumber('007', 'size'), 7);
  for (const wrong of [
    '',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x10',
    '9007199254740992',
    ' 1',
    '1\n',
    '9'.repeat(5000),
  ]) {
    assert.throws(
      () => paxNumber(wrong, 'size'),
      { code: 'BAD_LAYER', message: /PAX size is no number/ },
      wrong,
    );
  }
});

test('integers may be negative', () => {
  assert.equal(paxInteger('-2', 'uid'), -2);
  assert.equal(paxInteger('2', 'uid'), 2);
  for (const wrong of ['--2', '-', '+2', '2-'])
    assert.throws(() => paxInteger(wrong, 'uid'), { code: 'BAD_LAYER', message: /uid/ }, wrong);
});

test('of keys that nobody takes a few are kept, each once', () => {
  const keys = ['VENDOR.a', 'VENDOR.a', ...Array.from({ length: 20 }, (_, index) => `VENDOR.${index}`)];
  const { fields, unread } = paxSays(
    NO_PAX,
    keys.map((key) => [key, '1']),
  );
  assert.equal(fields.size, 0);
  assert.deepEqual(unread, ['VENDOR.a', ...keys.slice(2, 9)]);
});
