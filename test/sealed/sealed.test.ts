import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { RunEvent } from '../../src/context.js';
import { type Fault, FlattenError, flatten, type VerifyResult, verify } from '../../src/index.js';
import { descriptionText, parseDescription, sealImage } from '../../src/verity/verity.js';
import { context, tool } from '../ext/images.js';
import { Random } from '../support/mutate.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const BLOCK = 4096;

const marker = (block: number) => `block ${block} of large`;

/** The demo, and a file of so many blocks that no two are alike. */
async function sealed(
  t: TestContext,
  { format = 'erofs', blocks = 3, verity = true as true | string } = {},
): Promise<{ readonly cwd: string; readonly output: string }> {
  const cwd = scratch(t);
  const more = join(cwd, 'more');
  mkdirSync(more);
  const bytes = Buffer.alloc(blocks * BLOCK);
  for (let i = 0; i < blocks; i++) bytes.write(marker(i), i * BLOCK);
  writeFileSync(join(more, 'large'), bytes);
  const output = join(cwd, `disk.${format}`);
  const tree = verity === true ? true : join(cwd, verity);
  await flatten({ input: DEMO, output, add: [{ directory: more, path: '' }], disk: { verity: tree } });
  return { cwd, output };
}

function flip(path: string, at: number, bit = 0): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 1 << bit;
  writeFileSync(path, bytes);
}

const said = (output: string) => JSON.parse(readFileSync(`${output}.verity.json`, 'utf8'));

const faultsOf = (result: VerifyResult): readonly Fault[] => result.seal!.faults;

for (const format of ['erofs', 'ext2', 'ext4']) {
  const skip = needs(...(format === 'erofs' ? [] : ['mke2fs']));
  test(`${format}: a sound image is as its hash tree has it, without any image`, { skip }, async (t) => {
    const { output } = await sealed(t, { format });
    const { seal, entries, differences } = await verify({ output });
    assert.deepEqual(differences, []);
    assert.ok(entries > 20);
    assert.deepEqual(seal, {
      trust: 'description',
      dataBlocks: said(output).dataBlocks,
      rootHash: said(output).rootHash,
      faults: [],
      count: 0,
      unknownBlocks: 0,
    });
  });

  test(`${format}: a wrong block is named, with the file that it belongs to`, { skip }, async (t) => {
    const { output } = await sealed(t, { format });
    const offset = readFileSync(output).indexOf(marker(1));
    flip(output, offset, 3);
    const result = await verify({ output, input: DEMO });
    assert.equal(result.seal?.count, 1);
    const block = Math.floor(offset / BLOCK);
    const what = `block ${block}, at byte ${offset}: is not what was hashed`;
    assert.deepEqual(faultsOf(result), [{ kind: 'data', block, offset, what, path: 'large' }]);
  });
}

for (const [where, verity] of [
  ['behind the image', true],
  ['in a file of its own', 'disk.tree'],
] as const) {
  test(`a flipped bit anywhere is found: the tree is ${where}`, async (t) => {
    const { cwd, output } = await sealed(t, { verity, blocks: 200 });
    const { rootHash } = said(output);
    const files = [output, `${output}.verity.json`, ...(verity === true ? [] : [join(cwd, verity)])];
    const first = Number(process.env.FLATTEN_SEED ?? 1);
    for (let seed = first; seed < first + Number(process.env.FLATTEN_RUNS ?? 150); seed++) {
      const random = new Random(seed);
      const file = random.pick(files);
      const sound = readFileSync(file);
      // Half of them in what is small: superblock and tree.
      const from = file === output && verity === true && random.below(2) === 0 ? said(output).hashOffset : 0;
      const at = from + random.below(sound.length - from);
      flip(file, at, random.below(8));
      const warnings: RunEvent[] = [];
      const onEvent = (event: RunEvent) => {
        if (event.type === 'warning') warnings.push(event);
      };
      const count = await verify({ output, onEvent }).then(
        ({ seal }) => seal!.count + warnings.length,
        (error) => {
          assert.ok(error instanceof FlattenError, `seed ${seed}: ${error.stack}`);
          return 1;
        },
      );
      assert.ok(count > 0, `seed ${seed}: ${file}, byte ${at}`);
      writeFileSync(file, sound);
    }
    assert.equal((await verify({ output, rootHash })).seal?.count, 0);
  });
}

test('a wrong block of the tree: nothing is said of what is below it, all else is compared', async (t) => {
  const { output } = await sealed(t, { blocks: 600 });
  const { hashOffset, dataBlocks } = said(output);
  assert.ok(dataBlocks > 512 && dataBlocks < 640, 'five blocks of digests');
  const leaf = hashOffset + 2 * BLOCK;
  flip(output, leaf + BLOCK + 5);
  flip(output, 0);
  flip(output, 130 * BLOCK);
  const result = await verify({ output });
  const found = faultsOf(result).map(({ kind, block, offset }) => [kind, block, offset]);
  assert.deepEqual(found, [
    ['hash', 3, leaf + BLOCK],
    ['data', 0, 0],
  ]);
  assert.equal(result.seal?.unknownBlocks, 128);
  flip(output, leaf - BLOCK);
  const top = await verify({ output });
  assert.deepEqual(
    faultsOf(top).map(({ kind }) => kind),
    ['root'],
  );
  assert.equal(top.seal?.unknownBlocks, dataBlocks);
});

test('all wrong blocks are counted, and as many listed as are asked for', async (t) => {
  const { output } = await sealed(t, { blocks: 300 });
  for (const block of [3, 40, 200, 299]) flip(output, block * BLOCK);
  const { seal } = await verify({ output, limit: 2 });
  assert.equal(seal?.count, 4);
  assert.deepEqual(
    seal.faults.map(({ block }) => block),
    [3, 40],
  );
});

test('the root hash that the caller trusts counts, whatever is beside the image', async (t) => {
  const { output } = await sealed(t);
  const other = await sealed(t, { blocks: 5 });
  const { rootHash } = said(output);
  assert.equal((await verify({ output, rootHash: rootHash.toUpperCase() })).seal?.trust, 'caller');
  // Somebody puts another image with a tree and a description in its place.
  renameSync(other.output, output);
  renameSync(`${other.output}.verity.json`, `${output}.verity.json`);
  assert.equal((await verify({ output })).seal?.count, 0);
  const kinds = (result: VerifyResult) => faultsOf(result).map(({ kind }) => kind);
  assert.deepEqual(kinds(await verify({ output, rootHash })), ['description', 'root']);
  rmSync(`${output}.verity.json`);
  assert.deepEqual(kinds(await verify({ output, rootHash })), ['root']);
  await assert.rejects(verify({ output, rootHash: 'abc' }), { code: 'USAGE', option: 'rootHash' });
});

test('without a description the tree behind the file system is found, and nobody vouches for it', async (t) => {
  const { output } = await sealed(t);
  rmSync(`${output}.verity.json`);
  const warnings: string[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.type === 'warning') warnings.push(event.code);
  };
  const { seal } = await verify({ output, input: DEMO, exclude: ['none'], onEvent });
  assert.deepEqual([seal?.trust, seal?.count], ['nobody', 0]);
  assert.ok(warnings.includes('VERITY_TRUST'));
  flip(output, 2 * BLOCK);
  assert.equal((await verify({ output })).seal?.count, 1);
});

test(
  "veritysetup's own trees are checked; those of other algorithms are refused by name",
  {
    skip: needs('veritysetup'),
  },
  async (t) => {
    const output = join(scratch(t), 'disk.erofs');
    await flatten({ input: DEMO, output });
    const tree = `${output}.tree`;
    const told = tool('veritysetup', 'format', output, tree);
    const rootHash = /Root hash:\s*(\S+)/.exec(told)![1]!;
    assert.equal((await verify({ output, verity: tree, rootHash })).seal?.count, 0);
    flip(tree, BLOCK - 1);
    const { seal } = await verify({ output, verity: tree, rootHash });
    assert.equal(seal?.count, 0, 'veritysetup does not use what is behind its superblock');
    flip(tree, BLOCK);
    assert.equal((await verify({ output, verity: tree, rootHash })).seal?.faults[0]?.kind, 'root');
    rmSync(tree);
    tool('veritysetup', 'format', output, tree, '--hash=sha512');
    await assert.rejects(verify({ output, verity: tree }), {
      code: 'UNSUPPORTED',
      message: /algorithm sha512/,
    });
  },
);

test('what cannot have a hash tree, or has none', async (t) => {
  const cwd = scratch(t);
  const output = join(cwd, 'disk.erofs');
  await flatten({ input: DEMO, output });
  await assert.rejects(verify({ output }), { code: 'USAGE' });
  await assert.rejects(verify({ output, verity: true }), { code: 'NOT_FOUND', option: 'verity' });
  await assert.rejects(verify({ output, verity: DEMO }), { code: 'NOT_FOUND' });
  await assert.rejects(verify({ output, verity: join(cwd, 'none') }), { code: 'IO' });
  await assert.rejects(verify({ output: DEMO, input: DEMO, verity: true }), { code: 'USAGE' });
  await flatten({ input: DEMO, output: `${output}.gz`, disk: { verity: true } });
  await assert.rejects(verify({ output: `${output}.gz`, verity: true }), {
    code: 'USAGE',
    hint: /decompress/,
  });
});

test('files that are cut, or go on, do not pass', async (t) => {
  const { output } = await sealed(t);
  const sound = readFileSync(output);
  const { hashOffset } = said(output);
  for (const bytes of [
    sound.subarray(0, -1),
    sound.subarray(0, hashOffset + BLOCK),
    sound.subarray(0, hashOffset),
    sound.subarray(0, BLOCK),
    Buffer.concat([sound, Buffer.from('x')]),
    Buffer.alloc(0),
  ]) {
    writeFileSync(output, bytes);
    const { seal } = await verify({ output });
    assert.deepEqual(
      seal?.faults.filter(({ kind }) => kind === 'size').map(({ kind }) => kind),
      ['size'],
      `${bytes.length}`,
    );
  }
});

test('a description is what flatten writes, or it is refused', async (t) => {
  const image = join(scratch(t), 'image');
  writeFileSync(image, Buffer.alloc(3 * BLOCK, 1));
  const verity = await sealImage(image, undefined, context());
  const text = descriptionText({ ...verity, image: 'image' });
  assert.deepEqual(parseDescription(text), { ...verity, image: 'image' });
  const said = JSON.parse(text);
  for (const [change, code] of [
    [{ version: 2 }, 'UNSUPPORTED'],
    [{ algorithm: 'sha512' }, 'UNSUPPORTED'],
    [{ hashBlockSize: 512 }, 'UNSUPPORTED'],
    [{ rootHash: 'ab' }, 'BAD_IMAGE'],
    [{ salt: 'a' }, 'BAD_IMAGE'],
    [{ dataBlocks: -1 }, 'BAD_IMAGE'],
    [{ dataBlocks: 2 ** 60 }, 'BAD_IMAGE'],
    [{ dataBlocks: 4 }, 'BAD_IMAGE'],
    [{ hashOffset: 100 }, 'BAD_IMAGE'],
    [{ uuid: '../..' }, 'BAD_IMAGE'],
    [{ hashFile: '../tree' }, 'BAD_IMAGE'],
    [{ image: '' }, 'BAD_IMAGE'],
    [{ table: `${said.table} 1 ignore_corruption` }, 'BAD_IMAGE'],
    [{ more: 1 }, 'BAD_IMAGE'],
  ] as const)
    assert.throws(
      () => parseDescription(JSON.stringify({ ...said, ...change })),
      { code },
      JSON.stringify(change),
    );
  for (const wrong of ['', '[]', 'null', '{', '1'])
    assert.throws(() => parseDescription(wrong), { code: 'BAD_IMAGE' }, wrong);
});

test('by the command line: faults on standard output, exit code 1, and JSON', async (t) => {
  const { cwd, output } = await sealed(t);
  const sound = run(['verify', 'disk.erofs'], { cwd });
  assert.equal(sound.code, 0, sound.stderr);
  assert.match(
    sound.stderr,
    new RegExp(`blocks as the hash tree has them, root hash ${said(output).rootHash}\n$`),
  );
  flip(output, readFileSync(output).indexOf(marker(2)));
  const { code, stdout, stderr } = run(['verify', 'disk.erofs'], { cwd });
  assert.equal(code, 1);
  assert.match(stdout.toString(), /^large: block \d+, at byte \d+: is not what was hashed\n$/);
  assert.match(stderr, /1 fault in \d+ blocks or their hash tree\n$/);
  const { seal } = JSON.parse(run(['verify', 'disk.erofs', DEMO, '--json'], { cwd }).stdout.toString());
  assert.equal(seal.count, 1);
  assert.equal(seal.faults[0].path, 'large');
  assert.equal(run(['verify', 'disk.erofs', '--root-hash', 'abc'], { cwd }).code, 2);
  const none = run(['verify', DEMO], { cwd });
  assert.equal(none.code, 2);
  assert.match(none.stderr, /IMAGE is missing/);
});

test('verify closes what it opens', async (t) => {
  const { output } = await sealed(t, { verity: 'disk.tree' });
  const open = () => readdirSync('/proc/self/fd').length;
  await verify({ output });
  const before = open();
  await verify({ output });
  flip(output, 2 * BLOCK);
  await verify({ output });
  writeFileSync(join(output, '../disk.tree'), '');
  await verify({ output });
  assert.equal(open(), before);
});
