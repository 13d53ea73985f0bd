import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { FlattenError } from '../src/errors.js';
import { flatten } from '../src/flatten.js';
import { Budget } from '../src/layer/budget.js';
import { segmentsOf } from '../src/layer/content.js';
import { UpperBuilder } from '../src/layer/upper.js';
import { merge } from '../src/rootfs/merge.js';
import { directory, type Metadata, type Node, type Rootfs } from '../src/rootfs/node.js';
import { finish, walk } from '../src/rootfs/walk.js';
import { Canary } from './support/canary.js';
import { allCases } from './support/case.js';
import { layerTar } from './support/case-layer.js';
import { dockerFiles, ociFiles, tarOf, writeFiles } from './support/image.js';
import { mutate, mutateJson, Random, repairChecksums } from './support/mutate.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { rowsOf, scanBytes } from './support/scan-bytes.js';
import { scratch } from './support/scratch.js';
import { Watchdog } from './support/watchdog.js';

/** Seconds for all of this file, and the first seed: `FLATTEN_FUZZ_SECONDS=600 FLATTEN_SEED=1 scripts/test fuzz` */
const SECONDS = Number(process.env.FLATTEN_FUZZ_SECONDS ?? 20);
const FIRST = Number(process.env.FLATTEN_SEED ?? 20);

/** No input of this size may take longer, in milliseconds of processors' time: a busy machine's clock says nothing. */
const LONGEST = 20_000;
const LIMITS = { maxSize: 64 * 2 ** 20, maxEntries: 10_000 };

/** Every dialect and every rule: the layers of all cases, as tars. */
const STACKS = allCases().map(({ name, layers }) => ({ name, tars: layers.map(layerTar) }));

/** Runs `act` for one seed after the other, for a share of the time. What is no FlattenError fails, with the seed. */
async function fuzz(share: number, act: (random: Random) => unknown): Promise<void> {
  const end = performance.now() + SECONDS * 1000 * share;
  const ends = { right: 0, refused: 0 };
  const watchdog = new Watchdog(2 * LONGEST);
  try {
    // A busy machine gets through a few inputs only: then it takes longer, until both ends have been seen.
    const isDone = () => performance.now() > end && (SECONDS < 5 || (ends.right > 0 && ends.refused > 0));
    for (let seed = FIRST; !isDone() && performance.now() < end + 60_000; seed++) {
      watchdog.begin(seed);
      const start = process.cpuUsage();
      ends[await endOf(seed, act)]++;
      const { user, system } = process.cpuUsage(start);
      const took = (user + system) / 1000;
      assert.ok(took < LONGEST, `seed ${seed}: took ${took} ms`);
    }
  } finally {
    await watchdog.end();
  }
  const isBoth = ends.right > 0 && ends.refused > 0;
  assert.ok(SECONDS < 5 || isBoth, `both ends are reached: ${JSON.stringify(ends)}`);
}

async function endOf(seed: number, act: (random: Random) => unknown): Promise<'right' | 'refused'> {
  try {
    await act(new Random(seed));
    return 'right';
  } catch (error) {
    if (error instanceof FlattenError) return 'refused';
    throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
  }
}

function mutated(tar: Buffer, random: Random): Buffer {
  const bytes = mutate(tar, random);
  return random.below(4) === 0 ? bytes : repairChecksums(bytes);
}

function anyLayers(random: Random): Buffer[] {
  const { tars } = random.pick(STACKS);
  const wrong = random.below(tars.length);
  return tars.map((tar, index) => (index === wrong ? mutated(tar, random) : tar));
}

/** The tree that layers in memory give, by the engine alone. */
function treeOf(tars: readonly Buffer[], keepDirlinks: boolean): Rootfs {
  const root = directory();
  const budget = new Budget(LIMITS);
  for (const [order, tar] of tars.entries()) {
    const builder = new UpperBuilder(root, { keepDirlinks, budget });
    for (const entry of scanBytes(tar)) builder.add(entry, { order, file: order });
    merge(root, builder.finish());
  }
  return finish(root);
}

/** What holds of every tree, whatever it was made from. */
function checkTree(rootfs: Rootfs, sizes: readonly number[]): void {
  const links = new Map<Node, number>();
  let entries = 0;
  for (const { path, node } of walk(rootfs.root)) {
    entries++;
    if (path !== '') assert.match(path, /^(?!.*(^|\/)(\.|\.\.)?(\/|$))[^\0]+$/s, JSON.stringify(path));
    links.set(node, (links.get(node) ?? 0) + 1);
    checkMetadata(node.meta);
    if (node.kind === 'symlink') assert.match(node.target, /^[^\0]{1,4095}$/s);
    if (node.kind === 'char' || node.kind === 'block')
      assert.ok(node.major >= 0 && node.major < 4096 && node.minor >= 0 && node.minor < 2 ** 20);
    if (node.kind === 'file') checkContent(node, sizes[node.content.layer.order]!);
  }
  assert.equal(entries, rootfs.entries);
  for (const [node, count] of links) {
    if (node.kind === 'directory') assert.equal(count, 1, 'a directory has one name');
    else assert.equal(node.nlink, count);
  }
}

function checkMetadata({ mode, uid, gid, mtime, xattrs }: Metadata): void {
  assert.ok(Number.isInteger(mode) && mode >= 0 && mode <= 0o7777, `mode ${mode}`);
  for (const id of [uid, gid]) assert.ok(Number.isInteger(id) && id >= 0 && id < 2 ** 32 - 1, `id ${id}`);
  assert.equal(typeof mtime, 'bigint');
  for (const [name, value] of xattrs) assert.ok(/^[^\0]+$/s.test(name) && Buffer.isBuffer(value));
}

function checkContent({ content }: Extract<Node, { kind: 'file' }>, layerSize: number): void {
  assert.ok(Number.isSafeInteger(content.size) && content.size >= 0, `size ${content.size}`);
  let end = 0;
  let stored = 0;
  for (const { start, length } of segmentsOf(content)) {
    assert.ok(start >= end && length > 0, 'runs rise');
    end = start + length;
    stored += length;
  }
  assert.ok(end <= content.size, 'runs lie in the file');
  assert.ok(content.offset >= 0 && content.offset + stored <= layerSize, 'bytes lie in the layer');
}

test('layers, read into a tree', () =>
  fuzz(0.4, (random) => {
    const tars = anyLayers(random);
    checkTree(
      treeOf(tars, random.below(2) === 0),
      tars.map(({ length }) => length),
    );
  }));

suite('images, from end to end', () => {
  /** Often the ones that are fast. */
  const FORMATS = [
    ...([
      'directory',
      'directory',
      'directory',
      'tar',
      'tar',
      'tar',
      'docker-archive',
      'oci',
      'erofs',
    ] as const),
    ...(needs('mke2fs', 'e2fsck') === false ? (['ext3', 'ext4'] as const) : []),
  ];

  /** Flattens an image beside a canary, to anything. Nothing else may change, and nothing else may stay. */
  function runner(t: Parameters<typeof scratch>[0]) {
    const scratchDirectory = scratch(t);
    const around = join(scratchDirectory, 'out');
    const canary = new Canary(around);
    const tmp = join(scratchDirectory, 'tmp');
    mkdirSync(tmp);
    return async (image: Buffer | ReadonlyMap<string, Buffer>, random: Random) => {
      const input = join(scratchDirectory, 'image');
      if (Buffer.isBuffer(image)) writeFileSync(input, image);
      else writeFiles(input, image);
      const format = random.pick(FORMATS);
      const path = join(around, 'rootfs');
      let isDone = false;
      try {
        const { artifact } = await flatten({
          ...{ input, format, tmp, ...LIMITS, digests: false },
          output: /archive|oci/.test(format) ? `${format}:${path}` : path,
          keepDirlinks: random.below(4) === 0,
        });
        isDone = true;
        if (format === 'tar') checkFlatTar(readFileSync(path), artifact.entries);
        if (format === 'directory') assert.equal(namesBelow(Buffer.from(path)), artifact.entries);
      } finally {
        assert.equal(existsSync(path), isDone, 'an output is there if and only if all went well');
        canary.assertUntouched(['rootfs']);
        assert.deepEqual(readdirSync(tmp), []);
        rmSync(path, { recursive: true, force: true });
        rmSync(input, { recursive: true, force: true });
      }
    };
  }

  /** A flat tar holds each name once, each hard link after its target. */
  function checkFlatTar(tar: Buffer, entries: number): void {
    const paths = scanBytes(tar).map(({ path }) => path.replace(/\/$/, ''));
    assert.equal(new Set(paths).size, entries);
    assert.equal(rowsOf(tar).length, entries);
  }

  /** Counts a directory and all in it. */
  function namesBelow(path: Buffer): number {
    let count = 1;
    for (const entry of readdirSync(path, { encoding: 'buffer', withFileTypes: true })) {
      const inner = Buffer.concat([path, Buffer.from('/'), entry.name as unknown as Buffer]);
      count += entry.isDirectory() ? namesBelow(inner) : 1;
    }
    return count;
  }

  test('layers that are wrong, in images that are right', { skip: needs('root') }, async (t) => {
    const run = runner(t);
    await fuzz(0.2, (random) => {
      const layers = anyLayers(random).map((tar) => ({
        tar,
        compression: random.pick(['none', 'none', 'gzip'] as const),
      }));
      return run(ociFiles(layers), random);
    });
  });

  test('archives that are wrong anywhere', { skip: needs('root') }, async (t) => {
    const run = runner(t);
    await fuzz(0.1, (random) => {
      const layers = random.pick(STACKS).tars.map((tar) => ({ tar }));
      const files =
        random.below(2) === 0
          ? ociFiles(layers)
          : dockerFiles(layers, random.pick(['v1', '1.10', '25'] as const));
      return run(mutated(tarOf(files), random), random);
    });
  });

  test('JSON that is wrong', { skip: needs('root') }, async (t) => {
    const run = runner(t);
    const isJson = (path: string, bytes: Buffer) =>
      bytes.length < 5000 && /^[[{]/.test(bytes.toString('latin1', 0, 1)) && !/VERSION|layer.tar/.test(path);
    await fuzz(0.1, (random) => {
      const layers = random.pick(STACKS).tars.map((tar) => ({ tar }));
      const change = (files: Map<string, Buffer>) => {
        const path = random.pick(
          [...files].filter(([path, bytes]) => isJson(path, bytes)).map(([path]) => path),
        );
        files.set(path, mutateJson(files.get(path)!, random));
      };
      const style = random.pick(['oci', 'v1', '1.10', '25'] as const);
      return run(
        style === 'oci' ? ociFiles(layers, { change }) : dockerFiles(layers, style, { change }),
        random,
      );
    });
  });

  test('compressed streams that are wrong', { skip: needs('root') }, async (t) => {
    const run = runner(t);
    const magics = ['28b52ffd', 'fd377a585a00', '425a6839', '1f8b0800'].map((hex) => Buffer.from(hex, 'hex'));
    await fuzz(0.1, (random) => {
      const tar = Buffer.concat(random.pick(STACKS).tars);
      const packed = gzipSync(tar);
      const shifted = Buffer.concat([random.pick(magics), random.below(2) === 0 ? deflateRawSync(tar) : tar]);
      return run(random.below(4) === 0 ? shifted : mutate(packed, random), random);
    });
  });

  const real = join(PROJECT, '..', 'shared', 'images');
  const there = existsSync(real)
    ? readdirSync(real).filter((name) => name.endsWith('.tar') && statSync(join(real, name)).size < 200_000)
    : [];
  test(
    'real images that are wrong anywhere',
    {
      skip: needs('root') || (there.length === 0 && 'needs ../shared/images'),
    },
    async (t) => {
      const run = runner(t);
      await fuzz(0.1, (random) => run(mutated(readFileSync(join(real, random.pick(there))), random), random));
    },
  );
});
