import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyChanges, parseChanges } from '../../src/oci/change.js';
import { Fields } from '../../src/oci/fields.js';
import { parseJson } from '../../src/oci/json.js';
import { JsonText } from '../../src/oci/json-text.js';
import { jsonBytes, manifest, platformOf } from '../../src/oci/write.js';

/** What JSON.parse and JSON.stringify would change, each in its own way. */
const ODD = [
  '9007199254740993',
  '-9223372036854775808',
  '1.0',
  '1e400',
  '-0',
  '0.1000000000000000055511151231257827',
  '1E+2',
  '"\\ud800"',
  '"\\u00e9\\/ \\"}],{"',
  '{"10":1,"2":2,"__proto__":{"constructor":3},"a":4,"a":5}',
  '[[],{},[{"a":[]}],"",null,true]',
  '[ 1 ,\n\t2 ]',
];

test('values are copied as they stand', () => {
  const text = `{"z":0,${ODD.map((value, index) => `"x${index}":${value}`).join()}}`;
  assert.equal(Fields.of(new JsonText(text)).toText().text, text);
  const after = applyChanges(Fields.of(new JsonText(text)), parseChanges(['USER web', 'LABEL a=b']));
  assert.equal(after.toText().text, `${text.slice(0, -1)},"User":"web","Labels":{"a":"b"}}`);
  for (const value of ODD) assert.equal(Fields.of(new JsonText(`{ "a" : ${value} }`)).get('a')!.text, value);
  for (const value of ODD) assert.equal(new JsonText(`[0, ${value}]`).items()[1]!.text, value);
});

test('text is taken apart as JSON.parse does it', () => {
  const source = JSON.stringify([{ 'k"ey\\': ['}', { 'a,b': ':' }] }, [], {}, 'x', [[1], 2]]);
  const items = new JsonText(` ${source}\n`).items();
  assert.deepEqual(
    items.map((item) => item.value),
    JSON.parse(source),
  );
  const [[key, value]] = items[0]!.members() as [[string, JsonText]];
  assert.equal(key, 'k"ey\\');
  assert.deepEqual(
    value.items().map((item) => item.value),
    ['}', { 'a,b': ':' }],
  );
  for (const empty of ['{}', '[]', '{ }', '[\n]', '7', '"{"']) {
    assert.deepEqual(new JsonText(empty).members(), [], empty);
    assert.deepEqual(new JsonText(empty).items(), [], empty);
  }
});

test('labels keep their order, and only those that are named change', () => {
  const config = new JsonText('{"Labels":{"10":"a","2":"b","__proto__":"p","A":"x"},"Cmd":null}');
  const { text } = applyChanges(Fields.of(config), parseChanges(['LABEL 2=new a=y'])).toText();
  assert.equal(text, '{"Labels":{"10":"a","2":"new","__proto__":"p","A":"x","a":"y"},"Cmd":null}');
});

test('annotations keep their order, and a platform its fields', () => {
  const source = parseJson(Buffer.from('{"a":{"10":"x","2":"y","__proto__":"z"}}'), 'file');
  const annotations = new Map(
    source
      .get('a')
      .fields()
      .map(([key, { value }]) => [key, String(value)]),
  );
  assert.deepEqual([...annotations.keys()], ['10', '2', '__proto__']);
  const pointer = { mediaType: 'x', digest: 'sha256:0', size: 1 } as const;
  const text = jsonBytes(manifest(pointer, [], annotations)).toString();
  assert.match(text, /"annotations":\{"10":"x","2":"y","__proto__":"z"\}\}$/);
  const config = Fields.of(
    new JsonText('{"OS":"linux","os.features":[1.0],"variant":"","architecture":null}'),
  );
  assert.equal(jsonBytes(platformOf(config)).toString(), '{"os":"linux","os.features":[1.0]}');
});

test('depth is bounded as in Go, and costs no stack', () => {
  const deep = (depth: number) => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`;
  const json = parseJson(Buffer.from(deep(9_999)), 'config');
  const after = applyChanges(Fields.of(json.text), parseChanges(['USER web'])).toText();
  assert.equal(after.text, `${deep(9_999).slice(0, -1)},"User":"web"}`);
  assert.throws(() => parseJson(Buffer.from(deep(10_000)), 'config'), {
    code: 'BAD_IMAGE',
    message: 'config: is nested more than 10000 deep, which no engine reads',
  });
});
