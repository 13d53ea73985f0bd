import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type { Codec } from '../../src/compression/block.js';
import { type CompressOptions, compressor } from '../../src/compression/compress.js';
import { liveThreads, someBytes } from '../layer/blob.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { archive } from '../support/tar.js';

async function pack(kind: Codec, bytes: Buffer, options: CompressOptions = {}, chunk = 1 << 20) {
  const parts: Buffer[] = [];
  const { write, end } = bound(compressor(kind, (part) => void parts.push(Buffer.from(part)), options));
  for (let at = 0; at < bytes.length; at += chunk) await write(bytes.subarray(at, at + chunk));
  await end();
  return Buffer.concat(parts);
}

const bound = (packing: ReturnType<typeof compressor>) => ({
  write: (chunk: Uint8Array) => packing.write(chunk),
  end: () => packing.end(),
});

const filter = (program: string, args: string[], input: Buffer) =>
  execFileSync(program, args, { input, maxBuffer: 1 << 28 });

const MIB = 1 << 20;

for (const kind of ['gzip', 'zstd'] as const) {
  const block = kind === 'gzip' ? MIB : 2 * MIB;

  test(`${kind}: other programs read it back, whatever the size`, { skip: needs(kind) }, async () => {
    for (const size of [0, 1, block - 1, block, block + 1, 3 * block + 12345]) {
      const bytes = someBytes(size);
      const packed = await pack(kind, bytes);
      filter(kind, ['-q', '-t'], packed);
      assert.ok(filter(kind, ['-dc'], packed).equals(bytes), `${size} bytes`);
      if (kind === 'gzip') assert.ok(gunzipSync(packed).equals(bytes));
    }
    assert.equal(liveThreads(), 0);
  });

  test(`${kind}: threads, chunks and runs change no byte`, async () => {
    const bytes = someBytes(7 * MIB + 99);
    const expected = await pack(kind, bytes);
    for (const threads of [1, 2, 3, 7]) {
      for (const chunk of [100_003, MIB, 5 * MIB]) {
        assert.ok((await pack(kind, bytes, { threads }, chunk)).equals(expected), `${threads}, ${chunk}`);
      }
    }
  });

  test(`${kind}: each level works, and the highest packs better than the lowest`, async () => {
    const bytes = readFileSync(join(PROJECT, 'package-lock.json'));
    const sizes = [];
    for (let level = 1; level <= (kind === 'gzip' ? 9 : 19); level++) {
      sizes.push((await pack(kind, bytes, { level, threads: 1 })).length);
    }
    assert.ok(sizes.at(-1)! < sizes[0]!, sizes.join());
    for (const level of [0, 20, 1.5, Number.NaN]) {
      assert.throws(() => compressor(kind, () => {}, { level }), { code: 'USAGE' });
    }
  });

  test(`${kind}: GNU tar reads a tar`, { skip: needs(kind, 'tar') }, async () => {
    const packed = await pack(kind, archive([{ path: 'file', body: someBytes(3 * MIB) }]));
    const read = filter('tar', ['-x', kind === 'gzip' ? '-z' : '--zstd', '-O', '-f', '-'], packed);
    assert.ok(read.equals(someBytes(3 * MIB)));
  });

  test(`${kind}: an abort ends the threads`, async () => {
    const stop = new AbortController();
    const packing = compressor(kind, () => {}, { signal: stop.signal, threads: 2 });
    await packing.write(someBytes(5 * block));
    stop.abort();
    await assert.rejects(packing.write(Buffer.alloc(1)), { code: 'INTERRUPTED' });
    await assert.rejects(packing.end(), { code: 'INTERRUPTED' });
    assert.equal(liveThreads(), 0);
  });

  test(`${kind}: a sink that fails ends the threads`, async () => {
    const full = new Error('full');
    const packing = compressor(kind, () => Promise.reject(full), { threads: 2 });
    await assert.rejects(packing.write(someBytes(6 * block)), full);
    assert.equal(liveThreads(), 0);
  });

  test(`${kind}: stopped, it leaves no thread`, async () => {
    const packing = compressor(kind, () => {}, { threads: 3 });
    await packing.write(someBytes(3 * block));
    await packing.close();
    await packing.close();
    assert.equal(liveThreads(), 0);
  });

  test(`${kind}: waits for a slow sink, which gets one call at a time`, async () => {
    let calls = 0;
    let written = 0;
    const sink = async () => {
      assert.equal(++calls, 1);
      for (let turns = 0; turns < 50; turns++) await turn();
      calls--;
      written++;
    };
    const packing = compressor(kind, sink, { threads: 2 });
    for (let sent = 1; sent <= 12; sent++) {
      await packing.write(Buffer.alloc(block, 'x'));
      assert.ok(sent - written <= 3, `${sent} sent, ${written} written`);
    }
    await packing.end();
    assert.equal(written, 12);
  });
}

test('gzip names no time, and always the same system', async () => {
  const packed = await pack('gzip', someBytes(100));
  assert.equal(packed.subarray(0, 10).toString('hex'), '1f8b08000000000000ff');
});

test('zstd frames say how long they are', { skip: needs('zstd') }, async () => {
  const { stdout } = spawnSync('zstd', ['-lv', '/dev/stdin'], { input: await pack('zstd', someBytes(9)) });
  assert.doesNotMatch(stdout.toString(), /unavailable/);
  const header = (await pack('zstd', someBytes(9))).subarray(4, 6);
  assert.deepEqual([...header], [0x20, 9]); // RFC 8878 3.1.1.1: a single segment of one byte's size
});

/** The bytes that releases have made: they change with a dependency's version only, and then images change too. */
const PINNED: Record<string, string> = {
  'gzip 1': '74afeca44fe025b8',
  'gzip 5': 'd1450bda278b51d6',
  'gzip 9': 'c1b7f846419056e0',
  'gzip 12': '1d9eafb8c0d20560',
  'zstd 1': 'a776a2d5ec3b4656',
  'zstd 3': 'ec5055bb0c789276',
  'zstd 12': 'fe01f471f7aa148b',
  'zstd 19': '70dc94b72bf7b148',
};

for (const [what, expected] of Object.entries(PINNED)) {
  test(`${what}: the same bytes on every machine and Node`, async () => {
    const [kind, level] = what.split(' ') as [Codec, string];
    const packed = await pack(kind, someBytes(5 * MIB), { level: Number(level) });
    assert.equal(createHash('sha256').update(packed).digest('hex').slice(0, 16), expected);
  });
}
