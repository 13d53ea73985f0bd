import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { flatten } from '../src/flatten.js';
import type { FlattenOptions } from '../src/options.js';
import { dockerFiles, ociFiles, tarOf } from './support/image.js';
import { sha256 } from './support/listing.js';
import { type Measured, measured } from './support/measured.js';
import { needs } from './support/needs.js';
import { CLI } from './support/program.js';
import { scratch } from './support/scratch.js';
import { gzipped, repeated, swarm } from './support/swarm.js';
import { archive, memberBytes, paxHeader, paxRecord } from './support/tar.js';
import { zstdFrame } from './support/zstd-frame.js';

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** What a hostile input of less than a megabyte may cost. */
const PEAK = 300e6;
const WRITTEN = 2e9;

interface Outcome extends Measured {
  readonly directory: string;
}

/** Flattens an input of less than a megabyte in a process of its own, which may cost no more than that is worth. */
function run(t: TestContext, input: Buffer, options: Partial<FlattenOptions> = {}): Outcome {
  assert.ok(input.length < 1e6, `${input.length} bytes`);
  const directory = scratch(t);
  const file = join(directory, 'image');
  writeFileSync(file, input);
  const output = (options.output ?? 'OUT/rootfs/').replace('OUT', directory);
  const result = measured({ tmp: directory, digests: false, ...options, input: file, output });
  assert.ok(result.peak < PEAK, `${result.peak / 1e6} MB of memory`);
  assert.ok(result.written < WRITTEN, `${result.written / 1e6} MB written`);
  return { ...result, directory };
}

/** The same for one that has to be refused, with nothing left behind. */
function refused(
  t: TestContext,
  input: Buffer,
  [code, message, hint]: readonly [string, RegExp, RegExp?],
  options: Partial<FlattenOptions> = {},
): Outcome {
  const result = run(t, input, options);
  assert.equal(result.code, code, JSON.stringify(result));
  assert.match(result.message!, message);
  if (hint !== undefined) assert.match(result.hint!, hint);
  assert.deepEqual(readdirSync(result.directory), ['image']);
  return result;
}

const imageOf = (layer: Buffer) => tarOf(ociFiles([{ tar: layer }]));
const file = (size: number, path = 'f') => memberBytes({ path, header: { size } });

suite('what is no tar is refused at its first wrong header', () => {
  const zeros = Buffer.alloc(64 * MiB);
  for (const [name, stream] of Object.entries({
    'gzip of zeros': () => repeated(zeros, 14),
    'gzip of text': () => repeated(Buffer.alloc(64 * MiB, 'text '), 4),
    'zstd of zeros': () => zstdFrame(Buffer.alloc(512), 200_000, 0),
    'zstd of letters': () => zstdFrame(Buffer.alloc(0), 200_000),
    'gzip in gzip': () => gzipSync(repeated(zeros, 14)),
    'a member, and then letters': () => zstdFrame(archive([{ path: 'f' }], { end: false }), 200_000),
  })) {
    test(name, (t) => {
      const { written } = refused(t, stream(), [
        'BAD_IMAGE',
        /neither an image nor a tar|no tar header here/,
      ]);
      assert.ok(written < 20 * MiB, `${written} bytes written`);
    });
  }
  test('a layer too', (t) => {
    const { written } = refused(t, imageOf(zstdFrame(Buffer.alloc(0), 200_000)), [
      'BAD_LAYER',
      /layer 1 of 1/,
    ]);
    assert.ok(written < 20 * MiB, `${written} bytes written`);
  });
});

suite('standard input without an end', { skip: needs('sh', 'gzip') }, () => {
  for (const [name, source] of Object.entries({
    letters: 'yes',
    zeros: 'cat /dev/zero',
    'compressed letters': 'yes | gzip -1',
    'compressed zeros': 'cat /dev/zero | gzip -1',
  })) {
    test(name, async (t) => {
      const directory = scratch(t);
      const command = `${source} 2>/dev/null | "$0" "$1" - -o "$2"`;
      const args = ['-c', command, process.execPath, CLI, join(directory, 'rootfs/')];
      const child = spawn('sh', args, { stdio: ['ignore', 'inherit', 'pipe'], timeout: 60_000 });
      let said = '';
      child.stderr.on('data', (bytes) => {
        said += bytes;
      });
      assert.deepEqual(await once(child, 'close'), [1, null], said);
      assert.match(said, /standard input: is neither an image nor a tar archive/);
      assert.deepEqual(readdirSync(directory), []);
    });
  }
});

suite('bytes: 1,100 times the input and 1 GiB', () => {
  const hint = /\{maxSize: 64G\}/;
  test('a file that says it is larger', (t) => {
    for (const [bomb, name] of [
      [zstdFrame(file(30 * GiB), 240_000), /image: f: a body that goes beyond the [\d,]{13} bytes/],
      [imageOf(zstdFrame(file(30 * GiB), 240_000)), /layer 1 of 1 .*: f: a body that goes beyond/],
    ] as const) {
      const { written } = refused(t, bomb, ['LIMIT', name, hint]);
      assert.ok(written < 100 * MiB, `${written} bytes written`);
    }
  });
  test('many files', (t) => {
    const bomb = Buffer.concat(Array.from({ length: 40 }, () => zstdFrame(file(512 * MiB), 4096)));
    refused(t, imageOf(bomb), [
      'LIMIT',
      /layer 1 of 1 .*: (unpacks to more than [\d,]+ bytes \([\d.]+ \wB\), which is 1,100|f: a body that goes)/,
      hint,
    ]);
  });
  test('layers and the archive around them together, by its size', (t) => {
    const layer = zstdFrame(file(1000 * MiB), 8000);
    const layers = [0, 1, 2].map((byte) => ({ tar: Buffer.concat([layer, zstdFrame(Buffer.of(byte), 1)]) }));
    const image = gzipSync(Buffer.concat([tarOf(ociFiles(layers))]));
    refused(t, image, [
      'LIMIT',
      /layer \d of 3 .*: unpacks to more than [\d,]+ bytes \([\d.]+ \wB\), which is 1,100/,
      hint,
    ]);
  });
  test('honest images unpack to a thousand times their size, and others where --max-size says so', (t) => {
    const image = gzipSync(archive([{ path: 'f', body: Buffer.alloc(200 * MiB) }]));
    assert.equal(run(t, image).entries, 2);
    const frame = zstdFrame(file(1200 * MiB, 'f'), 9600);
    assert.ok(frame.length < 100_000);
    refused(t, frame, ['LIMIT', /goes beyond/, hint]);
    assert.equal(run(t, frame, { maxSize: 64 * GiB, exclude: ['f'] }).entries, 1);
  });
});

suite('a blob is unpacked once, however often it is listed', () => {
  const COUNT = 900;
  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const read = (files: Map<string, Buffer>, path: string) => JSON.parse(files.get(path)!.toString());
  const often = ({ rootfs, ...config }: { rootfs: { diff_ids: string[] } }) => {
    return json({ ...config, rootfs: { ...rootfs, diff_ids: Array(COUNT).fill(rootfs.diff_ids[0]) } });
  };

  function docker(tar: Buffer, compression: 'none' | 'gzip'): Buffer {
    const files = dockerFiles([{ tar, compression }], '1.10');
    const [image] = read(files, 'manifest.json');
    files.set(image.Config, often(read(files, image.Config)));
    files.set('manifest.json', json([{ ...image, Layers: Array(COUNT).fill(image.Layers[0]) }]));
    return tarOf(files);
  }

  function oci(tar: Buffer): Buffer {
    const files = ociFiles([{ tar, compression: 'gzip' }]);
    const put = (descriptor: { digest: string }, bytes: Buffer) => {
      files.set(`blobs/sha256/${sha256(bytes)}`, bytes);
      return { ...descriptor, digest: `sha256:${sha256(bytes)}`, size: bytes.length };
    };
    const blob = ({ digest }: { digest: string }) => read(files, `blobs/${digest.replace(':', '/')}`);
    const index = read(files, 'index.json');
    const manifest = blob(index.manifests[0]);
    const config = put(manifest.config, often(blob(manifest.config)));
    const layers = Array(COUNT).fill(manifest.layers[0]);
    const whole = put(index.manifests[0], json({ ...manifest, config, layers }));
    files.set('index.json', json({ ...index, manifests: [whole] }));
    return tarOf(files);
  }

  const large = archive([{ path: 'f', body: Buffer.alloc(16 * MiB, 'x') }]);
  const small = archive([{ path: 'f', body: Buffer.alloc(400_000, 'x') }]);
  for (const [name, image] of Object.entries({
    'docker-archive, gzip': () => docker(large, 'gzip'),
    'docker-archive, plain': () => docker(small, 'none'),
    oci: () => oci(large),
  })) {
    test(name, (t) => {
      const { written, entries } = run(t, image(), { digests: true });
      assert.equal(entries, 2);
      assert.ok(written < 40 * MiB, `${written} bytes written`);
    });
  }
});

suite('entries, by the size of the input', () => {
  const hint = /\{maxEntries\}/;
  const many = (count: number, typeflag = '0') => swarm(count, { name: 'some/directory/00000000', typeflag });
  const times = (members: Buffer, count: number) => Array<Buffer>(count).fill(members);

  test('are counted while a stream is unpacked', (t) => {
    const bomb = repeated(Buffer.concat(times(memberBytes({ path: 'f' }), 90_000)), 4);
    const { written } = refused(t, bomb, ['LIMIT', /more than [\d,]{7} entries/, hint]);
    assert.ok(written < 400 * MiB, `${written} bytes written`);
  });
  test('are counted while a layer is unpacked', (t) => {
    const same = Buffer.concat(times(memberBytes({ path: 'f' }), 90_000));
    const { written } = refused(t, imageOf(repeated(same, 4)), [
      'LIMIT',
      /layer 1 of 1 .*: more than [\d,]{7} entries/,
      hint,
    ]);
    assert.ok(written < 250 * MiB, `${written} bytes written`);
  });
  test('implied directories', (t) => {
    const deep = Array.from({ length: 300 }, (_, index) =>
      memberBytes({ path: `${index}/${'d/'.repeat(1900)}f` }),
    );
    refused(t, gzipped(deep), ['LIMIT', /more than [\d,]{7} entries/, hint]);
  });
  test('small images with many entries are read, and others where --max-entries says so', (t) => {
    const input = gzipped(many(140_000));
    const directory = scratch(t);
    writeFileSync(join(directory, 'image'), input);
    const given = { input: join(directory, 'image'), output: join(directory, 'o.tar'), tmp: directory };
    assert.equal(measured(given).entries, 140_003);
    assert.match(
      measured({ ...given, force: true, maxEntries: 100_000 }).message!,
      /more than 100,000 entries/,
    );
  });
  test('what the user adds does not count against the image', async (t) => {
    const directory = scratch(t);
    writeFileSync(join(directory, 'image'), imageOf(archive([{ path: 'f' }])));
    const output = join(directory, 'o.tar');
    const maxEntries = 3;
    const add = [{ directory: join(directory), path: 'd' }];
    await assert.rejects(flatten({ input: join(directory, 'image'), output, add, maxEntries: 1 }), {
      code: 'LIMIT',
    });
    await flatten({ input: join(directory, 'image'), output, add, maxEntries });
  });
});

suite('metadata', () => {
  const bound = [
    'LIMIT',
    /headers, names and xattrs of more than [\d,]+ (bytes|MiB)/,
    /\{maxEntries\}/,
  ] as const;
  test('paths that a symlink makes long', (t) => {
    const place = 'd/'.repeat(2000);
    const head = archive(
      [
        { path: place, typeflag: '5' },
        { path: 's', typeflag: '2', linkpath: place },
      ],
      { end: false },
    );
    const below = swarm(60_000, { name: 's/00000000' });
    refused(t, gzipped([head, ...below]), bound, { output: 'OUT/o.tar' });
  });
  test('records that are worth nothing are not all read while a layer is unpacked', (t) => {
    const entry = Buffer.concat([
      paxHeader(Buffer.from('5 a=\n'.repeat(200_000))),
      memberBytes({ path: 'f' }),
    ]);
    const { written } = refused(t, imageOf(repeated(entry, 300)), bound);
    assert.ok(written < 100 * MiB, `${written} bytes written`);
  });
  test('xattrs', (t) => {
    const entry = Buffer.concat([
      paxHeader(paxRecord('SCHILY.xattr.user.a', 'x'.repeat(60_000))),
      memberBytes({ path: 'f' }),
    ]);
    refused(t, repeated(entry, 4000), bound);
  });
});

test('runs of sparse files count as what a disk image takes for them', (t) => {
  const lines = Array.from({ length: 80_000 }, (_, at) => `${at * 10_000}\n1\n`).join('');
  const map = Buffer.from(`80000\n${lines}`);
  const body = Buffer.concat([map, Buffer.alloc(512 - (map.length % 512)), Buffer.alloc(80_000, 'x')]);
  const records = [
    ['GNU.sparse.major', '1'],
    ['GNU.sparse.minor', '0'],
    ['GNU.sparse.realsize', `${80_000 * 10_000}`],
  ] as const;
  const entry = memberBytes({ path: 's', body, records });
  const bound = [
    'LIMIT',
    /headers, names and xattrs of more than [\d,]+ (bytes|MiB)/,
    /\{maxEntries\}/,
  ] as const;
  refused(t, gzipSync(Buffer.concat(Array(5).fill(entry)), { level: 9 }), bound, {
    output: 'OUT/o.ext4',
    maxEntries: 150_000,
  });
});

suite('image JSON', () => {
  const config = Buffer.from(`{"rootfs":{"type":"layers","diff_ids":[]},"x":[${'[],'.repeat(2_500_000)}0]}`);
  const saved = (count: number, path = (_: number) => 'c.json') =>
    Buffer.from(
      JSON.stringify(
        Array.from({ length: count }, (_, at) => ({ Config: path(at), RepoTags: [`a:${at}`], Layers: [] })),
      ),
    );
  const tooMany = ['LIMIT', /more than 1048576 values/] as const;
  const packed = (files: Record<string, Buffer>) => gzipSync(tarOf(new Map(Object.entries(files))));

  test('a config of millions of values', (t) => {
    refused(t, packed({ 'manifest.json': saved(8), 'c.json': config }), tooMany);
  });
  test('millions of values in manifest.json', (t) => {
    refused(t, packed({ 'manifest.json': Buffer.from(`[${'{},'.repeat(2_600_000)}{}]`) }), tooMany);
  });
  test('as many images as an index may have', (t) => {
    const small = Buffer.from('{"rootfs":{"type":"layers"}}');
    refused(t, packed({ 'manifest.json': saved(20_000), 'c.json': small }), [
      'LIMIT',
      /lists more than 10000 images/,
    ]);
  });
  test('a config that ten thousand images have is read once', (t) => {
    const large = Buffer.from(`{"rootfs":{"type":"layers"},"comment":"${'x'.repeat(7 * MiB)}"}`);
    const { entries } = run(t, packed({ 'manifest.json': saved(10_000), 'c.json': large }), {
      reference: 'a:77',
    });
    assert.equal(entries, 1);
  });
  test('a manifest that ten thousand descriptors name is read once', (t) => {
    const files = ociFiles([{ tar: archive([{ path: 'f' }]) }]);
    const index = JSON.parse(files.get('index.json')!.toString());
    const [first] = index.manifests;
    const manifest = Buffer.from(
      files
        .get(`blobs/${first.digest.replace(':', '/')}`)!
        .toString()
        .replace('{', `{"x":"${'x'.repeat(5 * MiB)}",`),
    );
    files.set(`blobs/sha256/${sha256(manifest)}`, manifest);
    const descriptor = { ...first, digest: `sha256:${sha256(manifest)}`, size: manifest.length };
    files.set(
      'index.json',
      Buffer.from(JSON.stringify({ ...index, manifests: Array(9000).fill(descriptor) })),
    );
    assert.equal(run(t, gzipSync(tarOf(files))).entries, 2);
  });
});

suite('holes', () => {
  const sparse = (realSize: number) =>
    archive([
      { path: 'd/s', sparse: { form: 'pax-1.0', realSize, runs: [[0, 512]] }, body: Buffer.alloc(512, 'x') },
    ]);
  for (const output of ['docker-archive:OUT/o.tar', 'oci:OUT/o', 'oci-archive:OUT/o.tar']) {
    test(`${output.split(':')[0]}: are refused before they are written as zeros`, (t) => {
      const wrong = [
        'LIMIT',
        /^d\/s: has holes of [\d,]+ bytes \([\d.]+ GB\), which are written as zeros/,
        /\{maxSize: 64G\}/,
      ] as const;
      const { written } = refused(t, imageOf(sparse(60 * GiB)), wrong, { output });
      assert.ok(written < MiB, `${written} bytes written`);
    });
  }
  test('are kept by what can hold them, whatever their size', (t) => {
    for (const output of ['OUT/o.tar', 'OUT/o.img', 'OUT/rootfs/']) {
      const { written, entries } = run(t, imageOf(sparse(60 * GiB)), { output });
      assert.equal(entries, 3);
      assert.ok(written < 100 * MiB, `${written} bytes written`);
    }
  });
  test(
    'are written as zeros within the bound, and beyond it where --max-size says so',
    { skip: needs('tar') },
    (t) => {
      for (const [size, options] of [
        [100 * MiB, {}],
        [1200 * MiB, { maxSize: 2 * GiB }],
      ] as const) {
        const output = 'docker-archive:OUT/o.tar';
        const { directory } = run(t, imageOf(sparse(size)), { output, ...options });
        const image = join(directory, 'o.tar');
        const { stdout: list } = spawnSync('tar', ['-tf', image], { encoding: 'utf8' });
        const layer = list.split('\n').find((name) => name.endsWith('/layer.tar'))!;
        const inner = spawnSync('sh', ['-c', 'tar -xOf "$0" "$1" | tar -tvf -', image, layer], {
          encoding: 'utf8',
        });
        assert.match(inner.stdout, new RegExp(` ${size} .* d/s`));
      }
      const small = { output: 'docker-archive:OUT/o.tar', maxSize: 1000 * MiB };
      refused(t, imageOf(sparse(1200 * MiB)), ['LIMIT', /d\/s: files of more than/, /\{maxSize/], small);
    },
  );
  test('of a file whose map is longer than readers take count for a flat tar too', (t) => {
    const runs = Array.from({ length: 70_000 }, (_, at): [number, number] => [at * 900_000, 1]);
    const form = 'pax-1.0';
    const body = Buffer.alloc(runs.length, 'x');
    const image = gzipSync(archive([{ path: 's', sparse: { form, realSize: 60 * GiB, runs }, body }]));
    const wrong = [
      'LIMIT',
      /s: has holes of [\d,]{14} bytes \([\d.]+ GB\), which are written as zeros/,
      /\{maxSize/,
    ] as const;
    const { written } = refused(t, image, wrong, { output: 'OUT/o.tar' });
    assert.ok(written < 10 * MiB, `${written} bytes written`);
  });
  test('are not read when an output is read back', (t) => {
    const { entries } = run(t, imageOf(sparse(60 * GiB)), { output: 'OUT/o.tar', verify: true });
    assert.equal(entries, 3);
  });
});

test('large windows of zstd are held one after the other', { skip: needs('zstd') }, (t) => {
  const layers = [1, 2, 3, 4].map((byte) => {
    const tar = Buffer.concat([
      file(256 * MiB, `f${byte}`),
      Buffer.alloc(256 * MiB, byte),
      Buffer.alloc(1024),
    ]);
    const { stdout } = spawnSync('zstd', ['--long=27', '-c'], { input: tar, maxBuffer: 8 * MiB });
    return { tar: stdout };
  });
  const { entries } = run(t, tarOf(ociFiles(layers)), {
    output: 'OUT/o.tar',
    maxSize: 4 * GiB,
    exclude: ['f*'],
  });
  assert.equal(entries, 1);
});

test(
  'a dictionary of xz that takes too much memory is a stranger’s, and refused',
  { skip: needs('xz') },
  (t) => {
    const { stdout } = spawnSync('xz', ['--lzma2=dict=400MiB', '-c'], { input: archive([{ path: 'f' }]) });
    refused(t, stdout, ['TOOL', /memory usage limit/i, /xz -dc IMAGE \| flatten -/]);
    assert.ok(!existsSync('rootfs'));
  },
);
