import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { disk, flatten, openImage, verify } from '../../src/index.js';
import { sqfstarOptions } from '../../src/sinks/squashfs/options.js';
import { listByMount } from '../erofs/images.js';
import { tool } from '../ext/images.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const skip = needs('sqfstar');

/** The compressor's number and the block size, of a superblock. Source: Linux, fs/squashfs/squashfs_fs.h. */
function says(path: string): { readonly compressor: number; readonly blockSize: number } {
  const head = readFileSync(path).subarray(0, 96);
  return { compressor: head.readUInt16LE(20), blockSize: head.readUInt32LE(12) };
}

for (const [compression, compressor] of [
  ['gzip', 1],
  ['gzip:1', 1],
  ['xz', 4],
  ['lz4', 5],
  ['zstd:3', 6],
] as const) {
  test(
    `${compression}: the kernel shows the same tree, and the same bytes come twice`,
    {
      skip: needs('sqfstar', 'root', 'mount'),
    },
    (t) => {
      const cwd = scratch(t);
      assert.equal(run([DEMO, '-o', 'plain.squashfs', '-q'], { cwd }).code, 0);
      for (const name of ['a', 'b']) {
        const args = [
          DEMO,
          '-o',
          `${name}.squashfs`,
          '--compression',
          compression,
          '--block-size',
          '64K',
          '-q',
        ];
        const { code, stderr } = run(args, { cwd });
        assert.equal(code, 0, stderr);
      }
      const [a, b, plain] = ['a', 'b', 'plain'].map((name) => join(cwd, `${name}.squashfs`)) as [
        string,
        string,
        string,
      ];
      assert.ok(readFileSync(a).equals(readFileSync(b)));
      assert.deepEqual(says(a), { compressor, blockSize: 65_536 });
      assert.deepEqual(says(plain), { compressor: 6, blockSize: 131_072 });
      assert.deepEqual(lines(listByMount(a, 'squashfs')), lines(listByMount(plain, 'squashfs')));
    },
  );
}

test('what sqfstar would not take is refused before anything is read', async (t) => {
  const output = join(scratch(t), 'a.squashfs');
  for (const squashfs of [
    { compression: 'lzo' },
    { compression: 'zstd:23' },
    { compression: 'zstd:0' },
    { compression: 'gzip:10' },
    { compression: 'xz:3' },
    { compression: 'none' },
    { compression: 'zstd -X' },
    { compression: 'constructor' },
    { blockSize: 3000 },
    { blockSize: 2048 },
    { blockSize: 2 ** 21 },
  ])
    await assert.rejects(
      flatten({ input: 'missing.tar', output, disk: { squashfs } }),
      { code: 'USAGE' },
      JSON.stringify(squashfs),
    );
  for (const other of [{ label: 'x' }, { free: 1 }, { journal: 'none' as const }])
    await assert.rejects(flatten({ input: 'missing.tar', output, disk: other }), { code: 'USAGE' });
  for (const name of ['a.erofs', 'a.ext4'])
    await assert.rejects(
      flatten({
        input: 'missing.tar',
        output: join(output, '..', name),
        disk: { squashfs: { blockSize: 4096 } },
      }),
      { code: 'USAGE', message: /^\{blockSize\}: only for squashfs/ },
    );
  assert.throws(() => disk(output, { squashfs: { compression: 'lzo' } }), { code: 'USAGE' });
  assert.deepEqual(sqfstarOptions({ compression: 'zstd:19', blockSize: 4096 }), [
    '-comp',
    'zstd',
    '-Xcompression-level',
    '19',
    '-b',
    '4096',
  ]);
});

test('by the command line: the words of images are those of squashfs', { skip }, (t) => {
  const cwd = scratch(t);
  const refused = (...args: string[]) => {
    const { code, stderr } = run([DEMO, '-o', ...args], { cwd });
    assert.equal(code, 2, args.join(' '));
    return stderr;
  };
  assert.match(
    refused('a.squashfs', '--compression', 'lzma'),
    /--compression lzma: unknown\n {2}squashfs takes zstd/,
  );
  assert.match(
    refused('a.erofs', '--block-size', '64K'),
    /--block-size: only for squashfs, and the output is erofs/,
  );
  assert.match(refused('a.erofs', '--compression', 'zstd'), /--compression: only for images/);
  assert.match(refused('oci:a', '--compression', 'xz'), /--compression xz: unknown/);
  assert.match(refused('a.squashfs', '--plan'), /a plan is for/);
});

test(
  '.squashfs.zst and .sqfs.gz are compressed once more, for transport',
  { skip: needs('sqfstar', 'zstd', 'gzip') },
  async (t) => {
    const cwd = scratch(t);
    const at = (name: string) => join(cwd, name);
    const options = { input: DEMO, disk: { squashfs: { compression: 'lz4' } } };
    for (const name of ['a.squashfs', 'b.squashfs.zst', 'c.sqfs.gz'])
      await flatten({ ...options, output: at(name) });
    const plain = readFileSync(at('a.squashfs'));
    assert.ok(execFileSync('zstd', ['-dcq', at('b.squashfs.zst')]).equals(plain));
    assert.ok(execFileSync('gzip', ['-dc', at('c.sqfs.gz')]).equals(plain));
    await using image = await openImage(DEMO);
    await using tree = await image.tree();
    await tree.writeTo(disk(at('d.sqfs'), options.disk));
    assert.ok(readFileSync(at('d.sqfs')).equals(plain));
  },
);

test(
  'a hash tree behind squashfs, or in a file: veritysetup and the kernel take it',
  {
    skip: needs('sqfstar', 'veritysetup', 'root', 'mount'),
  },
  async (t) => {
    const cwd = scratch(t);
    const at = (name: string) => join(cwd, name);
    const [plain, output, tree] = [at('plain.squashfs'), at('a.squashfs'), at('tree')];
    mkdirSync(at('more'));
    const digests = Array.from({ length: 2000 }, (_, i) => createHash('sha512').update(`${i}`).digest());
    writeFileSync(at('more/large'), Buffer.concat(digests));
    const input = { input: DEMO, add: [{ directory: at('more'), path: '' }] };
    await flatten({ ...input, output: plain });
    for (const [verity, file] of [
      [true, output],
      [tree, tree],
    ] as const) {
      const { artifact } = await flatten({ ...input, output, disk: { verity }, force: true });
      const said = JSON.parse(readFileSync(`${output}.verity.json`, 'utf8'));
      assert.equal(artifact.verity?.rootHash, said.rootHash);
      assert.equal(said.hashOffset, verity === true ? said.dataBlocks * 4096 : 0);
      const where = `--hash-offset=${said.hashOffset}`;
      tool('veritysetup', 'verify', output, file, said.rootHash, where);
      assert.match(
        tool('veritysetup', 'dump', file, where),
        new RegExp(`Data blocks:\\s+${said.dataBlocks}\n`),
      );
      assert.ok(readFileSync(output).subarray(0, statSync(plain).size).equals(readFileSync(plain)));
      assert.deepEqual(lines(listByMount(output, 'squashfs')), lines(listByMount(plain, 'squashfs')));
      const { seal, entries } = await verify({ output });
      assert.deepEqual([seal?.count, seal?.dataBlocks, entries], [0, said.dataBlocks, 0]);
      const bytes = readFileSync(output);
      bytes[200]! ^= 1;
      writeFileSync(output, bytes);
      assert.equal((await verify({ output })).seal?.faults[0]?.offset, 0);
    }
    await assert.rejects(verify({ output: plain }), { code: 'USAGE' });
    const beside = at('beside.squashfs');
    writeFileSync(`${beside}.verity.json`, 'old');
    await assert.rejects(flatten({ input: DEMO, output: beside, disk: { verity: true } }), {
      code: 'OUTPUT_EXISTS',
    });
    assert.ok(!existsSync(beside));
  },
);
