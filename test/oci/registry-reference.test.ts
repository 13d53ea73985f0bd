import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatRegistryReference, parseRegistryReference } from '../../src/oci/registry-reference.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

const WHOLE: Readonly<Record<string, string>> = {
  alpine: 'docker.io/library/alpine:latest',
  'alpine:3.20': 'docker.io/library/alpine:3.20',
  'org/app': 'docker.io/org/app:latest',
  'docker.io/alpine': 'docker.io/library/alpine:latest',
  'index.docker.io/org/app:1': 'docker.io/org/app:1',
  'registry-1.docker.io/library/alpine': 'docker.io/library/alpine:latest',
  'ghcr.io/org/team/app:1.2': 'ghcr.io/org/team/app:1.2',
  'localhost/app': 'localhost/app:latest',
  'localhost:5000/app:1': 'localhost:5000/app:1',
  '127.0.0.1:5000/library/a__b-c.d:x_Y.1': '127.0.0.1:5000/library/a__b-c.d:x_Y.1',
  '[::1]:5000/app': '[::1]:5000/app:latest',
  'Registry/app': 'Registry/app:latest',
  [`alpine@${DIGEST}`]: `docker.io/library/alpine@${DIGEST}`,
  [`ghcr.io/org/app:1@${DIGEST}`]: `ghcr.io/org/app:1@${DIGEST}`,
};

for (const [text, whole] of Object.entries(WHOLE)) {
  test(`docker://${text} is ${whole}`, () => {
    const reference = parseRegistryReference(text);
    assert.equal(formatRegistryReference(reference), whole);
    assert.deepEqual(parseRegistryReference(whole), reference);
  });
}

const REFUSED: Readonly<Record<string, RegExp>> = {
  '': /is not a name/,
  ':1': /is not a name/,
  'ghcr.io/': /is not a name/,
  'ghcr.io//app': /is not a name/,
  'org/App': /lower case/,
  'app:': /is not a tag/,
  'app:a b': /is not a tag/,
  [`app:${'x'.repeat(129)}`]: /is not a tag/,
  'app@sha256:12': /is not a digest/,
  [`app@${DIGEST}@${DIGEST}`]: /is not a digest/,
  'user:secret@ghcr.io/app': /is not a digest/,
  'a_b.c:80/app': /is not a host/,
  '../app': /is not a (name|host)/,
  'a/../b': /is not a name/,
  [`ghcr.io/${'a'.repeat(300)}`]: /is not a name/,
};

for (const [text, what] of Object.entries(REFUSED)) {
  test(`docker://${text.slice(0, 40)} is refused`, () => {
    assert.throws(() => parseRegistryReference(text), {
      code: 'USAGE',
      message: what,
      hint: /docker:\/\/ghcr\.io/,
    });
  });
}

test('a password in a reference is not repeated', () => {
  assert.throws(
    () => parseRegistryReference('user:secret@ghcr.io/app'),
    (error: Error) => !`${error.message} ${error.stack}`.includes('secret'),
  );
});
