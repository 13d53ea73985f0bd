import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJson } from '../../src/oci/json.js';

const json = (value: unknown) => parseJson(Buffer.from(JSON.stringify(value)), 'file');
const text = (source: string) => parseJson(Buffer.from(source), 'file');

test('an error says where the value is and what it is', () => {
  const value = json({ a: [{ b: 'x' }], n: null });
  const item = value.get('a').items()[0]!;
  assert.throws(() => item.get('c').string(), /^FlattenError: file\.a\[0\]\.c: missing$/);
  assert.throws(() => item.get('b').size(), /file\.a\[0\]\.b: "x" is not a whole number from 0 on$/);
  assert.throws(() => value.get('n').object(), /file\.n: missing$/);
  assert.throws(() => value.get('a').string(), /file\.a: an array is not a string$/);
  assert.throws(() => item.get('b').get('c'), /file\.a\[0\]\.b: "x" is not an object$/);
  assert.throws(() => value.get('a').digest(), /file\.a: an array is not a sha256 or sha512 digest$/);
});

test('sizes are whole, not negative and exact', () => {
  for (const wrong of ['1.5', '-1', '1e300', '9007199254740993', '"7"', 'true']) {
    assert.throws(() => text(`{"size":${wrong}}`).get('size').size(), /file\.size: /, wrong);
  }
  assert.equal(text('{"size":0}').get('size').size(), 0);
});

test('what is not JSON says so', () => {
  assert.throws(() => text('{"a":'), { code: 'BAD_IMAGE', message: /^file: is not JSON: / });
  assert.throws(() => text('['.repeat(1_000_000)), { code: 'BAD_IMAGE' });
});

test('nothing is found on a prototype', () => {
  const value = text('{"__proto__":{"mediaType":"evil"},"a":1}');
  assert.equal(value.get('mediaType').missing, true);
  assert.equal(value.get('toString').missing, true);
  assert.equal(value.get('constructor').missing, true);
  assert.equal(value.get('__proto__').get('mediaType').string(), 'evil');
  assert.equal(Object.hasOwn(Object.prototype, 'mediaType'), false);
});

test('names match exactly, else without regard to case, as Go reads them', () => {
  assert.equal(json({ layers: 1, Layers: 2 }).get('Layers').value, 2);
  assert.equal(json({ layers: 1 }).get('Layers').value, 1);
});

test('text that would steer a terminal is escaped in messages', () => {
  assert.throws(
    () => json({ a: '\u001b[2J\u202e' }).get('a').size(),
    (error: Error) => !/[\u001b\u202e]/.test(error.message) && error.message.length < 400,
  );
  assert.throws(
    () =>
      json({ a: 'x'.repeat(1e6) })
        .get('a')
        .size(),
    (error: Error) => error.message.length < 400,
  );
});
