import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../../src/flatten.js';
import { cpio, openImage } from '../../src/index.js';
import { directory, type Node } from '../../src/rootfs/node.js';
import { finish } from '../../src/rootfs/walk.js';
import { cpioSink } from '../../src/sinks/cpio.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { quiet } from './tar-context.js';
import { meta } from './tar-specimen.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const CLI = join(PROJECT, 'dist/src/cli.js');
const OPTIONS = { force: false, strict: false, compression: 'none' } as const;

function tree(node: Node) {
  const root = directory(meta({}));
  root.children.set('file', node);
  return { rootfs: finish(root), verified: Promise.resolve() };
}

const sized = (size: number): Node => ({
  kind: 'file',
  meta: meta({}),
  nlink: 1,
  content: { layer: { order: 0, file: '/dev/null' }, offset: 0, size, segments: [] },
});

test(
  'the same image is the same archive, plain, compressed, or on standard output',
  {
    skip: needs('zstd', 'gzip'),
  },
  async (t) => {
    const cwd = scratch(t);
    for (const name of ['a.cpio', 'a.cpio.gz', 'a.cpio.zst'])
      await flatten({ input: DEMO, output: join(cwd, name) });
    const plain = readFileSync(join(cwd, 'a.cpio'));
    assert.ok(execFileSync('gzip', ['-dc', 'a.cpio.gz'], { cwd }).equals(plain));
    assert.ok(execFileSync('zstd', ['-dcq', 'a.cpio.zst'], { cwd }).equals(plain));
    const options = ['-o', '-', '--format', 'cpio', '--quiet'];
    const { stdout, status } = spawnSync(process.execPath, [CLI, DEMO, ...options], { cwd });
    assert.equal(status, 0);
    assert.ok(stdout.equals(plain));
  },
);

test('what it cannot hold is counted by kind, and an error where nothing may be lost', async (t) => {
  const output = join(scratch(t), 'a.cpio');
  const { artifact } = await flatten({ input: DEMO, output });
  assert.deepEqual(
    artifact.losses.map(({ kind, count, example }) => [kind, count, example]),
    [['xattr', 1, 'usr/bin/ping']],
  );
  const strict = flatten({ input: DEMO, output: `${output}.gz`, strict: true });
  await assert.rejects(strict, { code: 'LOSS', path: 'usr/bin/ping' });
  assert.ok(!existsSync(`${output}.gz`));
});

test('times are cut to whole seconds from 1970 to 2106, and each that was is a loss', async (t) => {
  const output = join(scratch(t), 'a.cpio');
  for (const [mtime, kept] of [
    [5_000_000_000n, '00000005'],
    [5_999_999_999n, '00000005'],
    [-1n, '00000000'],
    [4_294_967_295_000_000_000n, 'ffffffff'],
    [4_294_967_296_000_000_000n, 'ffffffff'],
  ] as const) {
    const flattened = tree({ kind: 'fifo', meta: meta({ mtime }), nlink: 1 });
    const { losses } = await cpioSink(output, { ...OPTIONS, force: true }).write(flattened, quiet());
    const archive = readFileSync(output, 'latin1');
    const header = archive.indexOf('070701', 1);
    assert.equal(archive.slice(header + 46, header + 54), kept);
    const isWhole = BigInt(Number.parseInt(kept, 16)) * 1_000_000_000n === mtime;
    assert.deepEqual(
      losses.map(({ kind, example }) => [kind, example]),
      isWhole ? [] : [['mtime', 'file']],
    );
  }
});

test('a file of 4 GiB is an error before anything is written; one byte less is none', async (t) => {
  const place = scratch(t);
  const output = join(place, 'a.cpio');
  await assert.rejects(cpioSink(output, OPTIONS).write(tree(sized(2 ** 32)), quiet()), {
    code: 'UNSUPPORTED',
    path: 'file',
    message: /a file of 4 GiB: cpio/,
  });
  assert.deepEqual(readdirSync(place), []);
  const stop = new AbortController();
  stop.abort();
  const aborted = cpioSink(output, OPTIONS).write(tree(sized(2 ** 32 - 1)), {
    ...quiet(),
    signal: stop.signal,
  });
  await assert.rejects(aborted, { code: 'INTERRUPTED' });
});

test('it is not read back: the option is refused before the image is opened', async (t) => {
  const output = join(scratch(t), 'a.cpio');
  await assert.rejects(flatten({ input: 'missing.tar', output, verify: true }), {
    code: 'USAGE',
    message: '{verify}: cpio is not read back',
  });
});

test('the library has a sink for it, whose ending says how it is compressed', async (t) => {
  const place = scratch(t);
  await using image = await openImage(DEMO);
  await using opened = await image.tree();
  const { digest } = await opened.writeTo(cpio(join(place, 'initrd'), { compression: 'gzip' }));
  assert.equal((await opened.writeTo(cpio(join(place, 'a.cpio.gz')))).digest, digest);
  assert.equal(readFileSync(join(place, 'initrd')).readUInt16BE(0), 0x1f8b);
});
