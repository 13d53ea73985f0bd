import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import { test } from 'node:test';
import { parseWebAddress } from '../../src/web/address.js';
import { isPrivateIp, isPrivateName, publicLookup } from '../../src/web/private.js';

test('addresses: what is shown has no secrets, and the digest stands behind', () => {
  const digest = `sha256:${'ab'.repeat(32)}`;
  const parsed = parseWebAddress(`https://me:secret@Example.com:8443/a/b.tar?token=x#${digest}`);
  assert.equal(parsed.shown, 'https://example.com:8443/a/b.tar');
  assert.equal(parsed.digest, digest);
  assert.equal(parsed.url.hash, '');
  for (const [text, message] of [
    ['https://x/y#part', /not a digest$/],
    ['https://x/y#sha256:ab', /not a digest$/],
    ['http://example.com/x?token=SECRET', /^http:\/\/example\.com\/x: is read by https only$/],
    ['http://127.0.0.1.example.com/x', /by https only$/],
    ['https://me:SECRET@[/x?SECRET', /^https:\/\/\[\/x: is no address$/],
  ] as const)
    assert.throws(() => parseWebAddress(text), { code: 'USAGE', message });
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]'])
    assert.equal(parseWebAddress(`http://${host}/x`).shown, `http://${host}/x`);
});

test('private addresses, however they are written', () => {
  for (const address of [
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fd00::1',
    '::ffff:10.0.0.1',
    '64:ff9b::a00:1',
  ])
    assert.ok(isPrivateIp(address), address);
  for (const address of ['8.8.8.8', '172.32.0.1', '100.128.0.1', '2001:4860:4860::8888', '::ffff:8.8.8.8'])
    assert.ok(!isPrivateIp(address), address);
  // An address has one spelling once it is a URL.
  for (const text of ['https://0x7f.1/', 'https://2130706433/', 'https://[::ffff:7f00:1]/', 'https://10.1/'])
    assert.ok(isPrivateName(new URL(text).hostname), text);
  assert.ok(!isPrivateName('example.com'));
});

test('a name that leads to a private address is not connected to', async () => {
  const looked = (name: string) =>
    new Promise<string | LookupAddress[]>((resolve, reject) =>
      publicLookup(name, {}, (error, address) => (error ? reject(error) : resolve(address))),
    );
  await assert.rejects(looked('localhost'), { code: 'EPRIVATE' });
  assert.equal(await looked('8.8.8.8'), '8.8.8.8');
});
