import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkRefName, parseImageName } from '../../src/oci/image-name.js';

test('names and tags as Docker has them', () => {
  const good: [text: string, name: string, tag: string][] = [
    ['app', 'app', 'latest'],
    ['app:1.0', 'app', '1.0'],
    ['team/app', 'team/app', 'latest'],
    ['a__b/c-d.e:_T', 'a__b/c-d.e', '_T'],
    ['localhost/app', 'localhost/app', 'latest'],
    ['host:5000/app', 'host:5000/app', 'latest'],
    ['Host.example:5000/team/app:V1', 'Host.example:5000/team/app', 'V1'],
    ['[::1]:5000/app:x', '[::1]:5000/app', 'x'],
  ];
  for (const [text, name, tag] of good) assert.deepEqual(parseImageName(text), { name, tag }, text);
});

test('what is no name is an error that quotes it', () => {
  const bad = [
    '',
    ':1.0',
    'App',
    'app:',
    'app:a b',
    'app:-x',
    '/app',
    'app/',
    'a//b',
    '-app',
    'a..b',
    'a___b',
  ];
  bad.push(
    `app@sha256:${'0'.repeat(64)}`,
    `app:${'x'.repeat(129)}`,
    'x'.repeat(256),
    '../app',
    'app\n',
    'a/B',
  );
  for (const text of bad) {
    assert.throws(
      () => parseImageName(text),
      { code: 'USAGE', message: /^image name "/ },
      JSON.stringify(text),
    );
  }
});

test('names in an OCI layout', () => {
  for (const good of ['1.0', 'latest', 'team/app:1.0', 'a--b', 'x@y+z'])
    assert.equal(checkRefName(good), good);
  for (const bad of ['', '-x', 'x-', 'a b', 'a//b', 'ü', 'a\n'])
    assert.throws(() => checkRefName(bad), { code: 'USAGE' }, JSON.stringify(bad));
});
