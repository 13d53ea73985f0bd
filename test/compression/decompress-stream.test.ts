import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzip } from '../../src/compression/gunzip.js';
import { unzstd } from '../../src/compression/unzstd.js';
import { FlattenError } from '../../src/errors.js';
import { someBytes } from '../layer/blob.js';
import { compress } from '../support/compress.js';
import { needs } from '../support/needs.js';

const DECOMPRESSORS = { gzip: gunzip, zstd: unzstd };

/** Decompresses bytes given in chunks of one buffer, as the thread does. */
async function undo(kind: 'gzip' | 'zstd', bytes: Buffer, chunk = 1 << 20): Promise<Buffer> {
  function* chunks() {
    const buffer = Buffer.alloc(chunk);
    for (let at = 0; at < bytes.length; at += chunk) {
      yield buffer.subarray(0, bytes.copy(buffer, 0, at, at + chunk));
    }
  }
  const parts: Buffer[] = [];
  await DECOMPRESSORS[kind](chunks(), (part) => parts.push(Buffer.from(part)));
  return Buffer.concat(parts);
}

const isDamage = (error: unknown) => error instanceof FlattenError && error.code === 'BAD_LAYER';

for (const kind of ['gzip', 'zstd'] as const) {
  const options = { skip: needs(kind) };

  test(`${kind}: any chunking of the input gives the same bytes`, options, async () => {
    const bytes = someBytes(300_000);
    const packed = compress(bytes, { compression: kind, pieces: 3, skippable: kind === 'zstd' });
    for (const chunk of [1000, 4096, 65_536, packed.length - 1, packed.length, 1 << 20]) {
      assert.ok((await undo(kind, packed, chunk)).equals(bytes), `chunks of ${chunk}`);
    }
    const small = compress(bytes.subarray(0, 300), { compression: kind, pieces: 3 });
    for (const chunk of [1, 2, 3, 7]) {
      assert.ok((await undo(kind, small, chunk)).equals(bytes.subarray(0, 300)), `chunks of ${chunk}`);
    }
  });

  test(`${kind}: data cut at any place is an error, or whole members`, options, async () => {
    const pieces = [someBytes(200), someBytes(150)];
    const packed = pieces.map((bytes) => compress(bytes, { compression: kind }));
    const all = Buffer.concat(packed);
    for (let length = 1; length < all.length; length++) {
      const cut = all.subarray(0, length);
      if (length === packed[0]!.length) assert.deepEqual(await undo(kind, cut), pieces[0]);
      else await assert.rejects(undo(kind, cut), isDamage, `cut at ${length}`);
    }
  });

  test(`${kind}: a wrong bit anywhere is an error, or changes nothing`, options, async () => {
    const bytes = someBytes(400);
    const packed = compress(bytes, { compression: kind, pieces: 2 });
    let errors = 0;
    for (let bit = 0; bit < packed.length * 8; bit += 3) {
      const wrong = Buffer.from(packed);
      wrong[bit >> 3]! ^= 1 << (bit & 7);
      const result = await undo(kind, wrong).catch((error: unknown) => {
        assert.ok(isDamage(error), String(error));
        errors++;
      });
      if (result !== undefined) assert.deepEqual(result, bytes, `bit ${bit}`);
    }
    assert.ok(errors > packed.length * 2);
  });

  test(`${kind}: what follows that is no member is an error`, options, async () => {
    const packed = compress(someBytes(100), { compression: kind });
    for (const garbage of ['x', 'garbage', 'x'.repeat(2 << 20)]) {
      await assert.rejects(undo(kind, Buffer.concat([packed, Buffer.from(garbage)])), isDamage);
      await assert.rejects(
        undo(kind, Buffer.concat([packed, Buffer.from(garbage)]), packed.length),
        isDamage,
      );
    }
  });

  test(`${kind}: a failure of the sink is the caller's`, options, async () => {
    const packed = compress(someBytes(5 << 20), { compression: kind });
    const full = new Error('full');
    const refuse = () => {
      throw full;
    };
    await assert.rejects(DECOMPRESSORS[kind]([packed], refuse), full);
  });
}

test('gzip: zeros behind the last member are no error, and are read', async () => {
  const packed = compress(someBytes(100), { compression: 'gzip' });
  for (const zeros of [1, 512, 5 << 20]) {
    const padded = Buffer.concat([packed, Buffer.alloc(zeros)]);
    for (const chunk of [packed.length, 1 << 20]) {
      assert.deepEqual(await undo('gzip', padded, chunk), someBytes(100));
    }
  }
});

test('zstd: many tiny frames', { skip: needs('zstd') }, async () => {
  const empty = compress(Buffer.alloc(0), { compression: 'zstd' });
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0]);
  const packed = compress(someBytes(100), { compression: 'zstd' });
  const all = Buffer.concat([...Array(200_000).fill(skippable), ...Array(50_000).fill(empty), packed]);
  assert.deepEqual(await undo('zstd', all), someBytes(100));
});
