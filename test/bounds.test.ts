import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import type { FlattenOptions } from '../src/options.js';
import { dockerFiles, ociFiles, tarOf, writeFiles } from './support/image.js';
import { sha256 } from './support/listing.js';
import { type Measured, measured } from './support/measured.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';
import { gzipped, repeated, swarm } from './support/swarm.js';
import {
  archive,
  headerBlock,
  type Member,
  memberBytes,
  numeric,
  padded,
  paxHeader,
  paxRecord,
} from './support/tar.js';

const MiB = 2 ** 20;

/** Generous, since the machine may be busy: a bomb that works takes hours and all memory there is. */
const SECONDS = 60;
const PEAK = 900 * MiB;

/** Runs an input that must end in an error, in bounded time and memory, with nothing left behind. */
function ends(
  t: TestContext,
  input: Buffer | ReadonlyMap<string, Buffer>,
  options: Partial<FlattenOptions>,
  code: string,
  pattern: RegExp,
  heap?: number,
): Measured {
  const directory = scratch(t);
  const image = join(directory, 'image');
  if (Buffer.isBuffer(input)) writeFileSync(image, input);
  else writeFiles(image, input);
  const output = join(directory, 'rootfs/');
  const given = (options.input ?? 'IMAGE').replace('IMAGE', image);
  const result = measured({ output, tmp: directory, digests: false, ...options, input: given }, heap);
  assert.match(result.code ?? 'done', new RegExp(`^(${code})$`), JSON.stringify(result));
  assert.match(result.message!, pattern);
  assert.ok(result.seconds < SECONDS, `${result.seconds} s`);
  assert.ok(result.peak < PEAK, `${result.peak / MiB} MiB`);
  assert.ok(!existsSync(output));
  assert.deepEqual(readdirSync(directory), ['image']);
  return result;
}

/** An image whose one layer is stored as these bytes. */
function imageOf(layer: Buffer): Map<string, Buffer> {
  return ociFiles([{ tar: layer }]);
}

suite('bombs', () => {
  const zeros = Buffer.alloc(64 * MiB);
  const maxSize = 256 * MiB;

  /** The first bytes of a tar whose one file has as many as the bomb unpacks to. */
  const head = memberBytes({ path: 'f', header: { size: 256 * zeros.length } });
  const bomb = (first: Buffer, one: Buffer) => Buffer.concat([first, ...Array<Buffer>(256).fill(one)]);

  test('gzip: 16 GiB in 16 MiB', (t) => {
    const layer = bomb(gzipSync(head), gzipSync(zeros));
    ends(t, imageOf(layer), { maxSize }, 'LIMIT', /: f: a body that goes beyond the 256 MiB/);
    ends(t, imageOf(repeated(zeros, 256)), { maxSize }, 'BAD_LAYER', /no tar: it begins with zeros/);
  });

  test('gzip, around the whole image', (t) => {
    ends(t, bomb(gzipSync(head), gzipSync(zeros)), { maxSize }, 'LIMIT', /: f: a body that goes beyond/);
    ends(t, repeated(zeros, 256), { maxSize }, 'BAD_IMAGE', /is neither an image nor a tar archive/);
  });

  test('many files, none of them too large', (t) => {
    const file = memberBytes({ path: 'f', body: zeros });
    ends(t, repeated(file, 256), { maxSize }, 'LIMIT', /unpacks to more than 256 MiB/);
  });

  for (const program of ['zstd', 'xz', 'bzip2']) {
    test(`${program}: 16 GiB`, { skip: needs(program) }, (t) => {
      const pack = (input: Buffer) => spawnSync(program, ['-c'], { input, maxBuffer: 64 * MiB }).stdout;
      const layer = bomb(pack(head), pack(zeros));
      ends(t, imageOf(layer), { maxSize }, 'LIMIT', /: f: a body that goes beyond/);
    });
  }

  test('a sparse file of 4 PiB', (t) => {
    const sparse = (realSize: number): Member => ({
      path: 's',
      sparse: { form: 'pax-0.1', realSize, runs: [[0, 1]] },
      body: Buffer.from('x'),
    });
    ends(t, imageOf(archive([sparse(2 ** 52)])), {}, 'LIMIT', /: s: files of more than 64 GiB/);
    const many = Array.from({ length: 100 }, (_, index) => ({ ...sparse(2 ** 30), path: `${index}` }));
    ends(t, imageOf(archive(many)), {}, 'LIMIT', /: 64: files of more than/);
  });

  test('a sparse file of 8 EiB', (t) => {
    const records: Member['records'] = [
      ['GNU.sparse.map', '0,1'],
      ['GNU.sparse.size', String(2n ** 63n - 1n)],
    ];
    ends(
      t,
      imageOf(archive([{ path: 's', body: Buffer.from('x'), records }])),
      {},
      'BAD_LAYER',
      /: s: PAX GNU.sparse/,
    );
    const old = headerBlock({
      name: 's',
      typeflag: 'S',
      magic: 'ustar  \0',
      patches: [[483, Buffer.from(numeric(2 ** 62, 12), 'latin1')]],
    });
    ends(t, imageOf(old), {}, 'BAD_LAYER', /: s: sparse size is too large/);
  });

  test('more entries than are allowed, by default and by option', (t) => {
    const member = Buffer.concat([...swarm(65_536, { name: '00000000' })]);
    ends(t, imageOf(repeated(member, 32)), { maxEntries: 2_000_000 }, 'LIMIT', /more than 2,000,000 entries/);
    ends(t, imageOf(repeated(member, 1)), { maxEntries: 1000 }, 'LIMIT', /more than 1,000 entries/);
    // A hundred million: they are counted while the layer is unpacked.
    ends(
      t,
      imageOf(repeated(member, 1526)),
      { maxEntries: 1000, maxSize },
      'LIMIT',
      /more than 1,000 entries/,
    );
  });

  test('millions of names', (t) => {
    const entries = swarm(1_100_000, { name: 'some/directory/00000000' });
    const maxEntries = 2_000_000;
    ends(t, imageOf(gzipped(entries)), { maxEntries }, 'LIMIT', /heap/, 256);
  });

  test('millions of directories that paths imply', (t) => {
    const entries = Array.from({ length: 1100 }, (_, index) =>
      memberBytes({ path: `${index}/${'d/'.repeat(1900)}f` }),
    );
    ends(t, imageOf(gzipped(entries)), {}, 'LIMIT', /heap|entries/);
  });

  test('a 10,000-deep path', (t) => {
    ends(t, imageOf(archive([{ path: `${'d/'.repeat(10_000)}f` }])), {}, 'LIMIT', /a path of 20001 bytes/);
  });

  test('a path that no system call takes, once it lies in the output', (t) => {
    ends(t, imageOf(archive([{ path: `${'d/'.repeat(2040)}f` }])), {}, 'UNSUPPORTED', /d\/d\/d/);
  });

  test('a PAX record of 100 MB', (t) => {
    const record = paxRecord('comment', 'x'.repeat(100_000_000));
    ends(
      t,
      imageOf(gzipSync(Buffer.concat([paxHeader(record), memberBytes({ path: 'f' })]), { level: 1 })),
      {},
      'LIMIT',
      /PAX header of 100,000,\d+ bytes/,
    );
  });

  // With fewer entries allowed there is less room for their metadata, and the error comes sooner.
  const maxEntries = 100_000;

  test('records that are worth nothing, by the gigabyte', (t) => {
    const entry = Buffer.concat([
      paxHeader(Buffer.from('5 a=\n'.repeat(200_000))),
      memberBytes({ path: 'f' }),
    ]);
    ends(t, imageOf(repeated(entry, 1100)), { maxEntries }, 'LIMIT', /headers, names and xattrs/);
  });

  test('xattrs that are worth nothing, by the million', (t) => {
    const records = Array.from({ length: 40_000 }, (_, index) =>
      paxRecord(`SCHILY.xattr.${index.toString(36)}`, ''),
    );
    const header = paxHeader(Buffer.concat(records));
    const entries = Array.from({ length: 80 }, (_, index) =>
      Buffer.concat([header, memberBytes({ path: `${index}` })]),
    );
    ends(t, imageOf(gzipped(entries)), {}, 'LIMIT', /headers, names and xattrs|heap/);
  });

  test('sparse maps of a megabyte, by the thousand', (t) => {
    const lines = Array.from({ length: 60_000 }, (_, index) => `${index * 2}\n1\n`);
    const body = Buffer.concat([padded(Buffer.from(`60000\n${lines.join('')}`)), Buffer.alloc(60_000)]);
    const records: Member['records'] = [
      ['GNU.sparse.major', '1'],
      ['GNU.sparse.minor', '0'],
      ['GNU.sparse.realsize', '1000000'],
    ];
    const entry = memberBytes({ path: 's', body, records });
    ends(t, imageOf(repeated(entry, 1000)), { maxEntries }, 'LIMIT', /headers, names and xattrs|heap/);
  });
});

suite('links', () => {
  const COUNT = 1_000_000;
  test('a million hard links that wait for each other, and for nothing', (t) => {
    const links = swarm(COUNT, { name: '00000000', linkname: '00000000', typeflag: '1' });
    ends(t, imageOf(gzipped(links)), {}, 'LIMIT|BAD_LAYER', /has no target|heap/);
  });

  test('hard links and symlinks in circles', (t) => {
    const hard = archive([
      { path: 'a', typeflag: '1', linkpath: 'b' },
      { path: 'b', typeflag: '1', linkpath: 'a' },
    ]);
    ends(t, imageOf(hard), {}, 'BAD_LAYER', /circle of hard links/);
    const soft = archive([
      { path: 'a', typeflag: '2', linkpath: 'b' },
      { path: 'b', typeflag: '2', linkpath: 'a' },
      { path: 'a/f' },
    ]);
    ends(t, imageOf(soft), {}, 'BAD_LAYER', /cycle of symlinks/);
  });
});

suite('headers that lie about sizes', () => {
  for (const [name, size] of Object.entries({
    '8 GiB': 8 ** 11 - 1,
    '8 PiB': 2 ** 53 - 1,
    'one byte more': 1025,
  })) {
    test(name, (t) => {
      const tar = archive([{ path: 'f', body: Buffer.alloc(1024), header: { size } }], { end: false });
      ends(t, imageOf(tar), {}, 'BAD_LAYER', /f: the body is cut short/);
    });
  }
  test('smaller than the body: the rest is no header', (t) => {
    ends(
      t,
      imageOf(archive([{ path: 'f', body: Buffer.alloc(1024, 'x'), header: { size: 1 } }])),
      {},
      'BAD_LAYER',
      /no tar header here/,
    );
  });
});

suite('image JSON', () => {
  test('indexes nested 1000 deep', (t) => {
    const files = ociFiles([]);
    let inner = files.get('index.json')!;
    for (let depth = 0; depth < 1000; depth++) {
      const hash = sha256(inner);
      files.set(`blobs/sha256/${hash}`, inner);
      const mediaType = 'application/vnd.oci.image.index.v1+json';
      inner = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          manifests: [{ mediaType, digest: `sha256:${hash}`, size: inner.length }],
        }),
      );
    }
    files.set('index.json', inner);
    ends(t, files, {}, 'LIMIT', /nested/);
  });

  test('100 MB of it', (t) => {
    for (const name of ['manifest.json', 'index.json']) {
      const files = new Map([[name, Buffer.from(`[${'"x",'.repeat(25_000_000)}"x"]`)]]);
      ends(
        t,
        files,
        { input: `${name === 'index.json' ? 'oci' : 'docker-archive'}:IMAGE` },
        'LIMIT',
        /100,000,005 bytes/,
      );
    }
  });

  test('a hundred thousand layers', (t) => {
    const layer = { tar: archive([{ path: 'f' }]) };
    const change = (files: Map<string, Buffer>) => {
      const [image] = JSON.parse(files.get('manifest.json')!.toString());
      const config = JSON.parse(files.get(image.Config)!.toString());
      const count = 100_000;
      files.set(
        image.Config,
        Buffer.from(
          JSON.stringify({
            ...config,
            rootfs: { type: 'layers', diff_ids: Array(count).fill(config.rootfs.diff_ids[0]) },
          }),
        ),
      );
      files.set(
        'manifest.json',
        Buffer.from(JSON.stringify([{ ...image, Layers: Array(count).fill(image.Layers[0]) }])),
      );
    };
    ends(t, dockerFiles([layer], '1.10', { change }), {}, 'LIMIT', /100000 layers/);
  });

  test('an archive with a hundred thousand members, and more', (t) => {
    const files = dockerFiles([], '1.10');
    const tar = Buffer.concat([...swarm(150_000, { name: 'blobs/sha256/00000000' }), tarOf(files)]);
    ends(t, gzipSync(tar, { level: 1 }), {}, 'LIMIT', /more than 100000 members/);
  });
});

test('a directory replaced by the thousand is warned of in a few words', (t) => {
  const directory = scratch(t);
  const links = Buffer.concat([...swarm(20_000, { name: '00000000', linkname: 'x00000000', typeflag: '2' })]);
  const files = Array.from(
    { length: 20_000 },
    (_, index): Member => ({ path: `${String(index).padStart(8, '0')}/f` }),
  );
  writeFiles(join(directory, 'image'), ociFiles([{ tar: links }, { tar: archive(files) }]));
  const result = measured({ input: join(directory, 'image'), output: join(directory, 'rootfs.tar') });
  assert.equal(result.entries, 40_001);
});
