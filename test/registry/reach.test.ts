import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Reach } from '../../src/registry/reach.js';

/** Registries, where one leads, and what is wrong with that; undefined for nothing. */
const CASES: readonly (readonly [registry: string, to: string, wrong: RegExp | undefined])[] = [
  ['https://8.8.8.8', 'https://8.8.4.4/x', undefined],
  ['https://8.8.8.8', 'https://8.8.8.8/x', undefined],
  ['https://8.8.8.8', 'http://8.8.4.4/x', /is not https/],
  ['https://8.8.8.8', 'file:///etc/passwd', /is not https/],
  ['https://8.8.8.8', 'https://127.0.0.1/x', /loopback/],
  ['https://8.8.8.8', 'https://localhost:8443/x', /loopback/],
  ['https://8.8.8.8', 'https://0x7f.1/x', /loopback/],
  ['https://8.8.8.8', 'https://[::ffff:10.0.0.1]/x', /private/],
  ['https://8.8.8.8', 'https://169.254.169.254/latest/meta-data', /link-local/],
  ['https://8.8.8.8', 'https://user:secret@8.8.4.4/x', /has a password/],
  ['https://10.0.0.5', 'https://10.0.0.6/x', undefined],
  ['https://10.0.0.5', 'https://169.254.169.254/x', /link-local/],
  ['https://10.0.0.5', 'https://127.0.0.1/x', /loopback/],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', undefined],
  ['http://127.0.0.1:5000', 'https://10.0.0.1/token', undefined],
  ['https://127.0.0.1:5000', 'http://127.0.0.1:5001/token', /is not https/],
];

for (const [registry, to, wrong] of CASES) {
  test(`${registry} ${wrong ? 'may not lead' : 'may lead'} to ${to}`, async () => {
    const checked = new Reach(new URL(registry)).check(new URL(to), 'a redirect');
    if (wrong === undefined) return checked;
    return assert.rejects(checked, (error: Error & { code: string }) => {
      assert.equal(error.code, 'DENIED');
      assert.match(error.message, wrong);
      assert.ok(!error.message.includes('secret'));
      return true;
    });
  });
}

test('a name that leads to this machine is no way around', async () => {
  const lookup = (registry: string) =>
    new Promise((resolve, reject) => {
      new Reach(new URL(registry)).lookup('localhost', { all: true }, (error, found) =>
        error ? reject(error) : resolve(found),
      );
    });
  await assert.rejects(lookup('https://8.8.8.8'), /localhost has a loopback address/);
  assert.ok(await lookup('http://127.0.0.1:5000'));
});
