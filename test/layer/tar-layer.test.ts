import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { Layer } from '../../src/layer/layer.js';
import { tarLayer } from '../../src/layer/tar-layer.js';
import type { Digest } from '../../src/oci/digest.js';
import { compress } from '../support/compress.js';
import { archive } from '../support/tar.js';
import { blobOf, contextFor, leftovers, liveThreads, readAll } from './blob.js';

const FILE = Buffer.from('the bytes of a file');
const TAR = archive([
  { path: 'directory/', typeflag: '5' },
  { path: 'directory/file', body: FILE },
]);
const GZIP = compress(TAR, { compression: 'gzip' });

const digest = (bytes: Buffer, name: 'sha256' | 'sha512' = 'sha256'): Digest =>
  `${name}:${createHash(name).update(bytes).digest('hex')}`;
const WRONG: Digest = `sha256:${'0'.repeat(64)}`;

function layerOf(t: TestContext, bytes: Buffer, digests: { digest?: Digest; diffID?: Digest } = {}): Layer {
  return tarLayer({ name: 'layer 1 of 1', blob: blobOf(t, bytes, 700), ...digests });
}

/** Paths of the entries, and the bytes of each file, read where the entry says they lie. */
async function contentOf(layer: Layer, context: ReturnType<typeof contextFor>): Promise<[string, string][]> {
  const open = await layer.open(context);
  try {
    await open.verified;
    assert.equal(open.size, TAR.length);
    return Array.from(open.entries(), ({ entry, file }) => {
      assert.equal(typeof file.file, 'number');
      const range = { fd: file.file as number, offset: entry.offset, length: entry.size };
      return [entry.path, readAll(range).toString()];
    });
  } finally {
    open.close();
    open.close();
  }
}

const CONTENT = [
  ['directory/', ''],
  ['directory/file', FILE.toString()],
];

const RIGHT: Record<string, { bytes: Buffer; digest?: Digest; diffID?: Digest }> = {
  'in place, no digests': { bytes: TAR },
  'in place, a diffID': { bytes: TAR, diffID: digest(TAR) },
  'in place, both digests': { bytes: TAR, digest: digest(TAR), diffID: digest(TAR) },
  'in place, two kinds of digests': { bytes: TAR, digest: digest(TAR, 'sha512'), diffID: digest(TAR) },
  'gzip, no digests': { bytes: GZIP },
  'gzip, a diffID': { bytes: GZIP, diffID: digest(TAR) },
  'gzip, both digests': { bytes: GZIP, digest: digest(GZIP), diffID: digest(TAR, 'sha512') },
};

for (const [what, { bytes, ...digests }] of Object.entries(RIGHT)) {
  test(`reads entries where their bytes lie: ${what}`, async (t) => {
    const context = contextFor(t);
    const layer = layerOf(t, bytes, digests);
    assert.equal(layer.size, bytes.length);
    assert.deepEqual(await contentOf(layer, context), CONTENT);
    assert.deepEqual(leftovers(context), []);
  });
}

const DAMAGED = Buffer.from(GZIP).fill(0x55, 30, 60);

const MISMATCHES: Record<string, { bytes: Buffer; digest?: Digest; diffID?: Digest; got: Digest }> = {
  'a diffID in place': { bytes: TAR, diffID: WRONG, got: digest(TAR) },
  'a digest in place': { bytes: TAR, digest: WRONG, diffID: digest(TAR), got: digest(TAR) },
  'a diffID beside a digest of another kind': {
    bytes: TAR,
    digest: digest(TAR, 'sha512'),
    diffID: WRONG,
    got: digest(TAR),
  },
  'the digest of gzip': { bytes: GZIP, digest: WRONG, diffID: digest(TAR), got: digest(GZIP) },
  'the diffID of gzip': { bytes: GZIP, digest: digest(GZIP), diffID: WRONG, got: digest(TAR) },
  'the digest of gzip that is damaged, too': { bytes: DAMAGED, digest: digest(GZIP), got: digest(DAMAGED) },
};

for (const [what, { bytes, got, ...digests }] of Object.entries(MISMATCHES)) {
  const expected = got === digest(DAMAGED) ? digest(GZIP) : WRONG;

  test(`a mismatch names layer and both values: ${what}`, async (t) => {
    const context = contextFor(t);
    await assert.rejects(contentOf(layerOf(t, bytes, digests), context), {
      code: 'DIGEST_MISMATCH',
      layer: 'layer 1 of 1',
      message: new RegExp(`${got}.*${expected}`),
      option: 'digests',
      hint: /\{digests: false\}/,
    });
    assert.deepEqual(leftovers(context), []);
  });

  if (bytes === DAMAGED) continue;
  test(`without verification it goes unseen: ${what}`, async (t) => {
    assert.deepEqual(await contentOf(layerOf(t, bytes, digests), contextFor(t, { digests: false })), CONTENT);
  });
}

test('damage under the right digest is damage', async (t) => {
  const layer = layerOf(t, DAMAGED, { digest: digest(DAMAGED) });
  await assert.rejects(layer.open(contextFor(t)), { code: 'BAD_LAYER', layer: 'layer 1 of 1' });
});

test('a broken tar names the layer', async (t) => {
  for (const bytes of [TAR.subarray(0, 700), compress(TAR.subarray(0, 700), { compression: 'gzip' })]) {
    const open = await layerOf(t, bytes).open(contextFor(t));
    assert.throws(() => [...open.entries()], { code: 'BAD_LAYER', layer: 'layer 1 of 1' });
    open.close();
  }
});

test('bytes behind the end of the archive belong to its digest', async (t) => {
  const bytes = Buffer.concat([TAR, Buffer.from('more')]);
  const open = await layerOf(t, bytes, { diffID: digest(bytes) }).open(contextFor(t));
  await open.verified;
  assert.equal([...open.entries()].length, 2);
  open.close();
});

test('an empty blob is a layer without entries', async (t) => {
  const open = await layerOf(t, Buffer.alloc(0), { diffID: digest(Buffer.alloc(0)) }).open(contextFor(t));
  await open.verified;
  assert.deepEqual([...open.entries()], []);
  open.close();
});

test('a layer larger than the limit is a LIMIT error that names it, compressed or not', async (t) => {
  const limits = { maxSize: TAR.length - 1, maxEntries: 10 };
  for (const bytes of [TAR, GZIP]) {
    const opened = layerOf(t, bytes).open(contextFor(t, { limits }));
    await assert.rejects(opened, { code: 'LIMIT', layer: 'layer 1 of 1' });
  }
});

test('closing a layer stops its verification', async (t) => {
  const blob = blobOf(t, Buffer.alloc(64 << 20));
  const open = await tarLayer({ name: 'layer 1 of 1', blob, diffID: WRONG }).open(contextFor(t));
  setImmediate(() => open.close());
  await assert.rejects(open.verified, { code: 'INTERRUPTED' });
  assert.equal(liveThreads(), 0);
});
