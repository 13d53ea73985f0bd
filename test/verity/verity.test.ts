import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunEvent } from '../../src/context.js';
import { levelsOf } from '../../src/verity/levels.js';
import { checkTree, type DmVerity, sealImage } from '../../src/verity/verity.js';
import { context, tool } from '../ext/images.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const skip = needs('veritysetup');

/** Bytes that are not the same in any two blocks, zeros in some. */
function data(blocks: number): Buffer {
  const bytes = Buffer.alloc(blocks * 4096);
  for (let block = 0; block < blocks; block++)
    if (block % 7 !== 3) bytes.writeUInt32LE(block + 1, block * 4096 + 4);
  return bytes;
}

async function sealed(directory: string, blocks: number): Promise<{ image: string; verity: DmVerity }> {
  const image = join(directory, 'image');
  writeFileSync(image, data(blocks));
  return { image, verity: await sealImage(image, undefined, context()) };
}

/** Whether veritysetup finds nothing wrong. */
function isSound(image: string, tree: string, { rootHash, hashOffset }: DmVerity): boolean {
  try {
    execFileSync('veritysetup', ['verify', image, tree, rootHash, `--hash-offset=${hashOffset}`], {
      env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
      stdio: 'pipe',
    });
    return true;
  } catch {
    return false;
  }
}

test('levels, from the top', () => {
  assert.deepEqual(levelsOf(1), []);
  assert.deepEqual(levelsOf(128), [1]);
  assert.deepEqual(levelsOf(129), [1, 2]);
  assert.deepEqual(levelsOf(16_384), [1, 128]);
  assert.deepEqual(levelsOf(16_385), [1, 2, 129]);
});

for (const blocks of [1, 2, 127, 128, 129, 16_384, 16_385]) {
  test(`the tree of ${blocks} blocks is, byte for byte, veritysetup's`, { skip }, async (t) => {
    const directory = scratch(t);
    const { image, verity } = await sealed(directory, blocks);
    assert.ok(isSound(image, image, verity));
    const other = join(directory, 'other');
    writeFileSync(other, data(blocks));
    const { salt, uuid, hashOffset } = verity;
    const told = tool(
      'veritysetup',
      'format',
      other,
      other,
      `--hash-offset=${hashOffset}`,
      `--data-blocks=${blocks}`,
      `--salt=${salt}`,
      `--uuid=${uuid}`,
    );
    assert.equal(/Root hash:\s*(\S+)/.exec(told)?.[1], verity.rootHash);
    assert.ok(readFileSync(image).equals(readFileSync(other)));
  });
}

test('what veritysetup reads of it is what we say', { skip }, async (t) => {
  const { image, verity } = await sealed(scratch(t), 300);
  const told = tool('veritysetup', 'dump', image, `--hash-offset=${verity.hashOffset}`);
  const says = (name: string) => new RegExp(`${name}:\\s*(.+)`).exec(told)?.[1]?.trim();
  assert.equal(says('UUID'), verity.uuid);
  assert.equal(says('Hash type'), '1');
  assert.equal(says('Data blocks'), '300');
  assert.match(says('Data block size')!, /^4096\b/);
  assert.equal(says('Hash algorithm'), 'sha256');
  assert.equal(says('Salt'), verity.salt);
});

test('a flipped bit anywhere is found', { skip }, async (t) => {
  const { image, verity } = await sealed(scratch(t), 131);
  const sound = readFileSync(image);
  const hashed = verity.hashOffset + 4096;
  const places = [
    0,
    5,
    4096 * 130 + 4095,
    hashed,
    hashed + 32,
    hashed + 4095,
    sound.length - 1,
    sound.length - 4096,
  ];
  for (const at of places) {
    const bytes = Buffer.from(sound);
    bytes[at]! ^= 1;
    writeFileSync(image, bytes);
    assert.equal(isSound(image, image, verity), false, `byte ${at}`);
  }
});

test(
  'an image that ends within a block is padded, and a tree can be a file of its own',
  { skip },
  async (t) => {
    const directory = scratch(t);
    const [image, tree] = [join(directory, 'image'), join(directory, 'tree')];
    writeFileSync(image, data(140));
    truncateSync(image, 140 * 4096 - 100);
    const verity = await sealImage(image, tree, context());
    assert.equal(verity.dataBlocks, 140);
    assert.equal(verity.hashOffset, 0);
    assert.equal(statSync(image).size, 140 * 4096);
    assert.equal(statSync(tree).size, 4096 * (1 + 1 + 2));
    assert.ok(isSound(image, tree, verity));
    assert.deepEqual(readdirSync(directory), ['image', 'tree']);
  },
);

test('salt and root hash come of the image alone', async (t) => {
  const one = await sealed(scratch(t), 200);
  const same = await sealed(scratch(t), 200);
  const other = await sealed(scratch(t), 201);
  assert.deepEqual(same.verity, one.verity);
  assert.notEqual(other.verity.rootHash, one.verity.rootHash);
  assert.notEqual(other.verity.uuid, one.verity.uuid);
});

test('a large image is compared by two threads, and every wrong block is found', async (t) => {
  const { image, verity } = await sealed(scratch(t), 16_385);
  const bytes = readFileSync(image);
  const wrong = [0, 127, 128, 4000, 8191, 8192, 16_384];
  for (const block of wrong) bytes[block * 4096 + 4095]! ^= 1;
  writeFileSync(image, bytes);
  const fd = openSync(image, 'r');
  t.after(() => closeSync(fd));
  const { dataBlocks, hashOffset, rootHash } = verity;
  const salt = Buffer.from(verity.salt, 'hex');
  const events: RunEvent[] = [];
  const report = (event: RunEvent) => void events.push(event);
  const places = { image: fd, tree: fd, dataBlocks, hashOffset, salt, rootHash };
  const found = await checkTree(places, 100, context({ report }));
  assert.deepEqual(
    found.wrong.map(({ kind, block }) => [kind, block]),
    wrong.map((block) => ['data', block]),
  );
  assert.equal(found.rootHash, rootHash);
  assert.deepEqual(events.at(-1), {
    type: 'progress',
    phase: 'verity',
    done: 16_385 * 4096,
    total: 16_385 * 4096,
  });
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(checkTree(places, 100, context({ signal: stop.signal })), { code: 'INTERRUPTED' });
});
