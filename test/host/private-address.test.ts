import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLoopback, privacyOf } from '../../src/host/private-address.js';

const KINDS: Readonly<Record<string, string | undefined>> = {
  '127.0.0.1': 'loopback',
  '127.9.9.9': 'loopback',
  '0.0.0.0': 'loopback',
  '::1': 'loopback',
  '::': 'loopback',
  '::ffff:127.0.0.1': 'loopback',
  '169.254.169.254': 'link-local',
  '::ffff:a9fe:a9fe': 'link-local',
  'fe80::1': 'link-local',
  '10.1.2.3': 'private',
  '172.16.0.1': 'private',
  '172.31.255.255': 'private',
  '192.168.1.1': 'private',
  '100.64.0.1': 'private',
  'fd00::1': 'private',
  '64:ff9b::a9fe:a9fe': 'private',
  '255.255.255.255': 'private',
  '172.32.0.1': undefined,
  '8.8.8.8': undefined,
  '2606:4700::1111': undefined,
  'example.com': undefined,
};

for (const [address, kind] of Object.entries(KINDS)) {
  test(`${address} is ${kind ?? 'not private'}`, () => assert.equal(privacyOf(address), kind));
}

test('this machine, by name and address, and what only looks like it', () => {
  for (const host of ['localhost', 'LOCALHOST.', 'a.localhost', '127.0.0.1', '[::1]'])
    assert.ok(isLoopback(host), host);
  // As URLs write them.
  for (const text of ['http://0x7f.1/', 'http://2130706433/', 'http://[::ffff:7f00:1]/'])
    assert.ok(isLoopback(new URL(text).hostname), text);
  for (const host of [
    'localhost.example.com',
    '127.0.0.1.example.com',
    'notlocalhost',
    'a.local',
    '10.0.0.1',
  ])
    assert.ok(!isLoopback(host), host);
});
