import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Compression, compressionOf, MAGIC_LENGTH } from '../../src/compression/magic.js';
import { compress } from '../support/compress.js';
import { needs } from '../support/needs.js';

for (const compression of ['gzip', 'zstd', 'xz', 'bzip2', 'none'] as const satisfies Compression[]) {
  const options = { skip: compression === 'none' ? false : needs(compression) };
  test(`knows what ${compression} made by its first bytes`, options, () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('bytes')]) {
      const head = compress(bytes, { compression }).subarray(0, MAGIC_LENGTH);
      assert.equal(compressionOf(head), compression);
    }
  });
}

test('a skippable frame of any kind in front is zstd', () => {
  for (let kind = 0x50; kind <= 0x5f; kind++) {
    assert.equal(compressionOf(Buffer.from([kind, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])), 'zstd');
  }
  assert.equal(compressionOf(Buffer.from([0x60, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])), 'none');
});

test('names in a tar and cut magic are no compression', () => {
  for (const text of ['', 'B', 'BZh', 'BZh9files/x', 'BZh91AY&S?', '\x1f\x8b', '\xfd7zXZ', '\x28\xb5\x2f']) {
    assert.equal(compressionOf(Buffer.from(text, 'latin1')), 'none');
  }
});
