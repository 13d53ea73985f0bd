import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunEvent } from '../../src/context.js';
import { disk, flatten, openImage, planDisk, verify } from '../../src/index.js';
import { assertSound } from '../erofs/images.js';
import { assertSound as assertExtSound, tool } from '../ext/images.js';
import { needs } from '../support/needs.js';
import { run } from '../support/program.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';

const input = join(PROJECT, 'test/images/demo.tar');

/** What is said beside an output. */
function said(output: string): {
  rootHash: string;
  hashOffset: number;
  dataBlocks: number;
  table: string;
  salt: string;
} {
  return JSON.parse(readFileSync(`${output}.verity.json`, 'utf8'));
}

function assertVerified(image: string, output = image, tree = image): void {
  const { rootHash, hashOffset } = said(output);
  tool('veritysetup', 'verify', image, tree, rootHash, `--hash-offset=${hashOffset}`);
}

for (const format of ['erofs', 'ext2', 'ext4'] as const) {
  const skip = needs('veritysetup', 'fsck.erofs', ...(format === 'erofs' ? [] : ['mke2fs']));
  test(`${format}: the tree stands behind the file system, which is sound as before`, { skip }, async (t) => {
    const directory = scratch(t);
    const [plain, output] = [join(directory, `plain.${format}`), join(directory, `disk.${format}`)];
    await flatten({ input, output: plain });
    const { artifact } = await flatten({ input, output, verify: true, disk: { verity: true } });
    assertVerified(output);
    assert.equal(artifact.verity?.rootHash, said(output).rootHash);
    assert.equal(artifact.bytes, statSync(output).size);
    const { size } = statSync(plain);
    assert.ok(readFileSync(output).subarray(0, size).equals(readFileSync(plain)));
    assert.equal(said(output).hashOffset, size);
    if (format === 'erofs') assertSound(output);
    else assertExtSound(output);
    assert.deepEqual((await verify({ output, input })).differences, []);
    const { bytes } = await planDisk({ input, output, disk: { verity: true } });
    assert.equal(bytes, artifact.bytes);
  });
}

test('the line for the kernel says where everything is', { skip: needs('veritysetup') }, async (t) => {
  const output = join(scratch(t), 'disk.erofs');
  await flatten({ input, output, disk: { verity: true } });
  const { table, dataBlocks, hashOffset, rootHash, salt } = said(output);
  assert.equal(hashOffset, dataBlocks * 4096);
  const sizes = `4096 4096 ${dataBlocks} ${dataBlocks + 1}`;
  assert.equal(table, `0 ${dataBlocks * 8} verity 1 DATA HASH ${sizes} sha256 ${rootHash} ${salt}`);
});

test('a tree in a file of its own, by the command line', { skip: needs('veritysetup') }, (t) => {
  const cwd = scratch(t);
  const { code, stderr } = run([input, '-o', 'disk.erofs', '--verity=disk.tree'], { cwd });
  assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(cwd).sort(), ['disk.erofs', 'disk.erofs.verity.json', 'disk.tree']);
  const output = join(cwd, 'disk.erofs');
  assertVerified(output, output, join(cwd, 'disk.tree'));
  assert.match(stderr, new RegExp(said(output).rootHash));
});

test('alone the option takes no word from behind it', { skip: needs('veritysetup') }, (t) => {
  const cwd = scratch(t);
  const { code, stderr } = run(['--verity', input, '-o', 'disk.erofs', '-q'], { cwd });
  assert.equal(code, 0, stderr);
  assert.deepEqual(readdirSync(cwd).sort(), ['disk.erofs', 'disk.erofs.verity.json']);
  assertVerified(join(cwd, 'disk.erofs'));
});

test('a compressed image has its tree inside', { skip: needs('veritysetup', 'gzip') }, async (t) => {
  const directory = scratch(t);
  const output = join(directory, 'disk.erofs.gz');
  await flatten({ input, output, disk: { verity: true }, verify: true, sha256: true });
  const plain = join(directory, 'plain');
  writeFileSync(plain, execFileSync('gzip', ['-dc', output], { maxBuffer: 1 << 27 }));
  assertVerified(plain, output);
});

test('the same content has the same root hash; other content, another', async (t) => {
  const directory = scratch(t);
  const rootOf = async (name: string, more: object = {}) => {
    const output = join(directory, name);
    return (await flatten({ input, output, disk: { verity: true }, ...more })).artifact.verity?.rootHash;
  };
  const first = await rootOf('1.erofs');
  assert.equal(await rootOf('2.erofs'), first);
  assert.notEqual(await rootOf('3.erofs', { mkdir: [{ path: 'new' }] }), first);
});

test('a journal is warned of', { skip: needs('mke2fs') }, async (t) => {
  const directory = scratch(t);
  const codes = async (name: string, disk: object) => {
    const found: string[] = [];
    const onEvent = (event: RunEvent) => {
      if (event.type === 'warning') found.push(event.code);
    };
    await flatten({ input, output: join(directory, name), disk, onEvent });
    return found;
  };
  assert.deepEqual(await codes('disk.ext3', { verity: true }), ['VERITY_JOURNAL']);
  assert.deepEqual(await codes('disk.ext4', { verity: true, journal: 'none' }), []);
  assert.deepEqual(await codes('other.ext3', {}), []);
});

test('files that are there stay, and nothing is written, unless force is given', async (t) => {
  const directory = scratch(t);
  const output = join(directory, 'disk.erofs');
  const tree = join(directory, 'tree');
  for (const there of [`${output}.verity.json`, tree]) {
    writeFileSync(there, 'old');
    await assert.rejects(flatten({ input, output, disk: { verity: tree } }), { code: 'OUTPUT_EXISTS' });
    assert.equal(readFileSync(there, 'utf8'), 'old');
    assert.equal(existsSync(output), false);
  }
  await flatten({ input, output, disk: { verity: tree }, force: true });
  assert.ok(said(output).rootHash);
  assert.deepEqual(readdirSync(directory).sort(), ['disk.erofs', 'disk.erofs.verity.json', 'tree']);
});

test('by the library; and only for disk images', async (t) => {
  const directory = scratch(t);
  const output = join(directory, 'disk.erofs');
  const image = await openImage(input);
  const tree = await image.tree();
  const { verity } = await tree.writeTo(disk(output, { verity: true }));
  await tree.close();
  await image.close();
  assert.equal(verity?.rootHash, said(output).rootHash);
  await assert.rejects(flatten({ input, output: join(directory, 'x.tar'), disk: { verity: true } }), {
    code: 'USAGE',
  });
  await assert.rejects(flatten({ input, output, force: true, disk: { verity: '-' } }), { code: 'USAGE' });
});

test('an output that is the file of its tree is refused, and nothing is left', async (t) => {
  const directory = scratch(t);
  const output = join(directory, 'disk.erofs');
  for (const verity of [output, `${output}.verity.json`])
    await assert.rejects(flatten({ input, output, disk: { verity } }), { code: /USAGE|OUTPUT_EXISTS/ });
  assert.deepEqual(readdirSync(directory), []);
});

test('the description appears before the image, and goes again where the image cannot appear', async (t) => {
  const directory = scratch(t);
  const output = join(directory, 'disk.erofs');
  const tree = join(directory, 'tree');
  const seen: string[][] = [];
  const watcher = watch(directory, () => {
    const names = readdirSync(directory).filter((name) => !name.startsWith('.'));
    if (names.length > 0) seen.push(names.sort());
  });
  t.after(() => watcher.close());
  await flatten({ input, output, disk: { verity: tree } });
  assert.deepEqual(readdirSync(directory).sort(), ['disk.erofs', 'disk.erofs.verity.json', 'tree']);
  for (const names of seen) if (names.includes('disk.erofs')) assert.equal(names.length, 3);
  for (const path of readdirSync(directory)) rmSync(join(directory, path));
  // Somebody else is first.
  let isThere = false;
  const onEvent = (event: RunEvent) => {
    if (event.type !== 'progress' || event.phase !== 'verity' || isThere) return;
    isThere = true;
    writeFileSync(output, 'other');
  };
  await assert.rejects(flatten({ input, output, disk: { verity: tree }, onEvent }), {
    code: 'OUTPUT_EXISTS',
  });
  assert.deepEqual(readdirSync(directory), ['disk.erofs']);
  assert.equal(readFileSync(output, 'utf8'), 'other');
});

test('an image that does not read back leaves no description', async (t) => {
  const directory = scratch(t);
  const output = join(directory, 'disk.erofs');
  let isDamaged = false;
  const onEvent = (event: RunEvent) => {
    if (event.type !== 'progress' || event.phase !== 'verity' || isDamaged) return;
    const [made] = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /new$/.test(name),
    );
    const path = join(directory, made!);
    const bytes = readFileSync(path);
    bytes[bytes.indexOf('colour = green')]! ^= 1;
    writeFileSync(path, bytes);
    isDamaged = true;
  };
  const options = { input, output, verify: true, disk: { verity: true }, onEvent };
  await assert.rejects(flatten(options as Parameters<typeof flatten>[0]), { code: /LOSS|BAD_IMAGE/ });
  assert.ok(isDamaged);
  assert.deepEqual(readdirSync(directory), []);
});
