import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Json } from '../../src/oci/json.js';
import { distance, formatPlatform, linuxOn, parsePlatform, readPlatform } from '../../src/oci/platform.js';

test('every spelling of a platform is one', () => {
  const spellings: Record<string, string[]> = {
    'linux/amd64': ['linux/amd64', 'linux/x86_64', 'Linux/AMD64', 'linux/x86-64', 'linux/amd64/v1'],
    'linux/arm64': ['linux/arm64', 'linux/aarch64', 'linux/arm64/v8', 'linux/arm64/8', 'linux/AARCH64/V8'],
    'linux/arm/v7': ['linux/arm', 'linux/arm/v7', 'linux/arm/7', 'linux/armhf'],
    'linux/arm/v6': ['linux/arm/v6', 'linux/armel'],
    'linux/386': ['linux/386', 'linux/i386', 'linux/i686'],
    'darwin/arm64': ['macos/arm64'],
  };
  for (const [one, others] of Object.entries(spellings)) {
    for (const other of others) assert.equal(formatPlatform(parsePlatform(other)), one, other);
  }
});

test('what is no platform is refused with an example', () => {
  for (const wrong of ['', 'linux', '/amd64', 'linux/', 'linux/arm/', 'a/b/c/d']) {
    assert.throws(() => parsePlatform(wrong), { code: 'USAGE', hint: /linux\/amd64/ }, wrong);
  }
});

test('a processor runs its own variant and older ones, the newest first', () => {
  const far = (wanted: string, offered: string) => distance(parsePlatform(wanted), parsePlatform(offered));
  assert.equal(far('linux/arm/v7', 'linux/arm/v7'), 0);
  assert.equal(far('linux/arm/v7', 'linux/arm/v6'), 1);
  assert.equal(far('linux/arm/v7', 'linux/arm/v5'), 2);
  assert.equal(far('linux/arm/v6', 'linux/arm/v7'), undefined);
  assert.equal(far('linux/amd64/v3', 'linux/amd64'), 2);
  assert.equal(far('linux/amd64', 'linux/amd64/v2'), undefined);
  assert.equal(far('linux/arm64', 'linux/arm64/v8'), 0);
  assert.equal(far('linux/arm64', 'linux/arm64/v8.0'), 0);
  assert.equal(far('linux/amd64', 'windows/amd64'), undefined);
  assert.equal(far('linux/amd64', 'linux/amd64/fast'), undefined);
  assert.equal(far('linux/amd64/fast', 'linux/amd64/fast'), 0);
});

test("this machine's platform comes from Node's name of its processor", () => {
  const names = ['x64', 'arm64', 'arm', 'ia32', 's390x', 'riscv64'].map((arch) =>
    formatPlatform(linuxOn(arch)),
  );
  assert.deepEqual(names, [
    'linux/amd64',
    'linux/arm64',
    'linux/arm/v7',
    'linux/386',
    'linux/s390x',
    'linux/riscv64',
  ]);
});

test('a config says a platform with both its fields, or none', () => {
  const read = (value: object) => readPlatform(new Json(value, 'config'));
  assert.deepEqual(read({ os: 'Linux', architecture: 'arm', variant: 'v6' }), {
    os: 'linux',
    architecture: 'arm',
    variant: 'v6',
  });
  assert.deepEqual(read({ os: 'linux', architecture: 'x86_64', variant: '' }), {
    os: 'linux',
    architecture: 'amd64',
  });
  for (const none of [{}, { os: 'linux' }, { architecture: 'arm' }, { os: '', architecture: 'arm' }])
    assert.equal(read(none), undefined);
});
