/** What registries say in `Warning` headers. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryAt, scripted } from '../support/scripted-registry.js';

const MANIFEST = '{"schemaVersion":2}';

/** What is told when a registry answers each of three requests with these headers. */
async function told(t: { after(done: () => void): void }, ...warnings: readonly (readonly string[])[]) {
  let count = 0;
  const { host } = await scripted(t, (_, response, path) => {
    if (!path.includes('/manifests/')) return;
    const warning = warnings[count++ % warnings.length] ?? [];
    response.setHeader('warning', warning).end(MANIFEST);
  });
  const { repository, told: messages } = repositoryAt(t, host);
  const { signal } = new AbortController();
  for (let each = 0; each < 3; each++) await repository.manifest('1', signal);
  return messages.map((message) => message.replace(host, 'HOST'));
}

test('each is told once', async (t) => {
  const [one, two] = ['299 - "this tag goes away in May"', '299 reg "pull by \\"digest\\", please"'];
  assert.deepEqual(await told(t, [one!], [one!, two!], [`${one}, ${two}`]), [
    'HOST says: this tag goes away in May',
    'HOST says: pull by "digest", please',
  ]);
});

test('other kinds, and what makes no sense, are passed over', async (t) => {
  assert.deepEqual(await told(t, ['110 - "stale"', '299 - unquoted', '299 - ""', '299 - "no end', '']), []);
});

test('what would steer a terminal is made visible, and there is an end to it', async (t) => {
  const many = Array.from({ length: 40 }, (_, each) => `299 - "number ${each}"`);
  const messages = await told(t, [`299 - "red \x85${'x'.repeat(5000)}"`], many);
  assert.equal(messages.length, 10);
  assert.ok(!/[\x00-\x1f\x7f-\x9f]/.test(messages.join('')), messages[0]);
  assert.ok(messages[0]!.length < 400);
});
