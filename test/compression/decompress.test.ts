import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { decompress } from '../../src/compression/decompress.js';
import { blobOf, contextFor, leftovers, liveThreads, openBytes, readAll, someBytes } from '../layer/blob.js';
import { compress, type Packing } from '../support/compress.js';
import { needs } from '../support/needs.js';

const KINDS = ['gzip', 'zstd', 'xz', 'bzip2'] as const;
const SHAPES: Packing[] = KINDS.flatMap((compression) => [{ compression }, { compression, pieces: 3 }]);
SHAPES.push({ compression: 'zstd', pieces: 2, skippable: true });

const sum = (program: string, bytes: Buffer) =>
  execFileSync(program, { input: bytes }).toString('latin1').split(' ')[0];

for (const shape of SHAPES) {
  const { compression, pieces = 1, skippable } = shape;
  const what = `${pieces} piece(s) of ${compression}${skippable ? ' among skippable frames' : ''}`;
  test(`unpacks ${what} and digests both sides`, { skip: needs(compression) }, async (t) => {
    for (const bytes of [Buffer.alloc(0), Buffer.from('a'), someBytes(5_000_000)]) {
      const context = contextFor(t);
      const packed = compress(bytes, shape);
      const wanted = { stored: 'sha256', uncompressed: 'sha512' } as const;
      const unpacked = await decompress(blobOf(t, packed, 1000), context, wanted);
      assert.ok(readAll(unpacked.range).equals(bytes));
      assert.equal(unpacked.storedDigest, `sha256:${sum('sha256sum', packed)}`);
      assert.equal(unpacked.uncompressedDigest, `sha512:${sum('sha512sum', bytes)}`);
      unpacked.close();
      unpacked.close();
      assert.deepEqual(leftovers(context), []);
    }
  });
}

test('digests only what is asked for', async (t) => {
  const unpacked = await decompress(
    blobOf(t, compress(someBytes(9), { compression: 'gzip' })),
    contextFor(t),
  );
  t.after(() => unpacked.close());
  assert.deepEqual([unpacked.storedDigest, unpacked.uncompressedDigest], [undefined, undefined]);
});

test('digests and tells of what stands behind the last member too', async (t) => {
  const packed = Buffer.concat([compress(someBytes(99), { compression: 'gzip' }), Buffer.alloc(20 << 20)]);
  const told: number[] = [];
  const onProgress = (done: number) => told.push(done);
  const unpacked = await decompress(blobOf(t, packed), contextFor(t), { stored: 'sha256', onProgress });
  unpacked.close();
  assert.equal(unpacked.storedDigest, `sha256:${sum('sha256sum', packed)}`);
  assert.ok(told.length >= 2 && told.every((done, at) => at === 0 || done > told[at - 1]!));
});

for (const compression of KINDS) {
  const options = { skip: needs(compression) };

  test(`${compression}: cut short or corrupt data is a BAD_LAYER, and nothing stays`, options, async (t) => {
    const packed = compress(someBytes(3_000_000), { compression });
    const corrupt = Buffer.from(packed);
    corrupt.fill(0x55, packed.length >> 1, (packed.length >> 1) + 64);
    const cuts = [packed.length - 1, packed.length >> 1, 11].map((length) => packed.subarray(0, length));
    for (const bytes of [...cuts, corrupt]) {
      const context = contextFor(t);
      const code = {
        code: 'BAD_LAYER',
        message: new RegExp(`the ${compression} data is (cut short|.*corrupt)`),
      };
      await assert.rejects(decompress(blobOf(t, bytes), context, { stored: 'sha256' }), code);
      assert.equal(liveThreads(), 0);
      assert.deepEqual(leftovers(context), []);
    }
  });

  test(`${compression}: a bomb is a LIMIT error, and nothing stays`, options, async (t) => {
    const blob = blobOf(t, compress(Buffer.alloc(200_000_000), { compression }));
    const context = contextFor(t, { limits: { maxSize: 3_000_000, maxEntries: 1 } });
    const hint = /\{maxSize\}/;
    await assert.rejects(decompress(blob, context), { code: 'LIMIT', message: /3,000,000 bytes/, hint });
    assert.equal(liveThreads(), 0);
    assert.deepEqual(leftovers(context), []);
  });

  test(`${compression}: an abort stops it, and nothing stays`, options, async (t) => {
    const blob = blobOf(t, compress(someBytes(6_000_000), { compression }));
    for (const turns of [0, 1, 2]) {
      const stop = new AbortController();
      const context = contextFor(t, { signal: stop.signal });
      const unpacked = decompress(blob, context, { stored: 'sha256', uncompressed: 'sha256' });
      unpacked.catch(() => {}); // asserted below
      for (let i = 0; i < turns; i++) await setImmediate();
      stop.abort();
      await assert.rejects(unpacked, { code: 'INTERRUPTED' });
      assert.equal(liveThreads(), 0);
      assert.deepEqual(leftovers(context), []);
    }
  });

  test(`${compression}: an abort once some is unpacked stops it, and nothing stays`, options, async (t) => {
    const blob = blobOf(t, compress(Buffer.alloc(40_000_000), { compression }));
    const stop = new AbortController();
    const context = contextFor(t, { signal: stop.signal });
    const unpacked = decompress(blob, context, { uncompressed: 'sha256' });
    unpacked.catch(() => {}); // asserted below
    while (openBytes(context) === 0) await setImmediate();
    stop.abort();
    await assert.rejects(unpacked, { code: 'INTERRUPTED' });
    assert.equal(liveThreads(), 0);
    assert.deepEqual(leftovers(context), []);
  });
}

test('zstd: windows up to 128 MiB, larger ones are an error', { skip: needs('zstd') }, async (t) => {
  const bytes = someBytes(3_000_000);
  for (const [log, works] of [
    [24, true],
    [27, true],
    [30, false],
  ] as const) {
    const packed = execFileSync('zstd', ['-c', '-1', `--long=${log}`], { input: bytes, maxBuffer: 1 << 30 });
    const context = contextFor(t);
    const unpacked = decompress(blobOf(t, packed), context);
    if (!works) await assert.rejects(unpacked, { code: 'BAD_LAYER', message: /128 MiB/ });
    else {
      const { range, close } = await unpacked;
      assert.ok(readAll(range).equals(bytes));
      close();
    }
    assert.deepEqual(leftovers(context), []);
  }
});

test('a program that is missing is named, with the package to install', async (t) => {
  const packed = Buffer.from('fd377a585a000004', 'hex');
  const context = contextFor(t);
  const failing = withEmptyPath(t, () => decompress(blobOf(t, packed), context));
  await assert.rejects(failing, { code: 'TOOL', message: /^xz: /, hint: /xz-utils/ });
  assert.deepEqual(leftovers(context), []);
});

function withEmptyPath<T>(t: TestContext, act: () => T): T {
  const { PATH } = process.env;
  process.env.PATH = '/nonexistent';
  t.after(() => {
    process.env.PATH = PATH;
  });
  return act();
}

test('a directory for temporary files that is not there is an IO error', async (t) => {
  const blob = blobOf(t, compress(someBytes(9), { compression: 'gzip' }));
  await assert.rejects(decompress(blob, contextFor(t, { tmp: '/nonexistent' })), { code: 'IO' });
});
