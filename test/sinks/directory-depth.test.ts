/** Deep trees take time in proportion to their entries, not to their depth. */
import assert from 'node:assert/strict';
import { closeSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../../src/flatten.js';
import { Paths } from '../../src/sinks/directory/paths.js';
import { openDirectory, pathOfDescriptor } from '../../src/sinks/staging/descriptor.js';
import { packNames, sharedUint32 } from '../../src/threads/shared.js';
import { scratch } from '../support/scratch.js';
import { archive } from '../support/tar.js';

/** A chain of directories of one letter each, with a side branch at every tenth. */
function tableOf(depth: number) {
  const names = [''];
  const parents = [0];
  for (let each = 1, last = 0; each <= depth; each++) {
    names.push('d');
    last = parents.push(last) - 1;
    if (each % 10 !== 0) continue;
    names.push('side');
    parents.push(last);
  }
  const packed = packNames(names);
  const shared = sharedUint32(parents.length);
  shared.set(parents);
  return { ...packed, parents: shared, count: parents.length };
}

test('paths by way of an open directory lead where the long ones lead, in any order', (t) => {
  const root = scratch(t);
  const table = tableOf(300);
  const plain = new Paths(root, table);
  for (let each = 1; each < table.count; each++) mkdirSync(plain.ofDirectory(each));
  const open = openDirectory(root);
  const path = pathOfDescriptor(open, root);
  const short = new Paths(path, table, { isAnchored: true });
  try {
    const numbers = Array.from({ length: table.count - 1 }, (_, i) => i + 1);
    const mixed = numbers.map((each) => ((each * 37) % (table.count - 1)) + 1);
    let longest = 0;
    for (const order of [numbers, [...numbers].reverse(), mixed, numbers.flatMap((each) => [each, each])]) {
      for (const each of order) {
        assert.equal(lstatSync(short.ofDirectory(each)).ino, lstatSync(plain.ofDirectory(each)).ino);
        assert.equal(short.inImage(), plain.inImage());
        writeFileSync(short.of(each, 'f'), '');
        assert.equal(short.inImage(), `${plain.inImage()}/f`);
        if (order === numbers) longest = Math.max(longest, short.ofDirectory(each).length);
      }
    }
    assert.ok(longest < path.length + 300, `${longest} bytes`);
    const before = readdirSync('/proc/self/fd').length;
    short.close();
    assert.equal(readdirSync('/proc/self/fd').length, before - 1);
  } finally {
    short.close();
    closeSync(open);
  }
});

test('a deep tree with entries of every kind is written as it is', async (t) => {
  const directory = scratch(t);
  const members = Array.from({ length: 150 }, (_, depth) => {
    const path = `${'d/'.repeat(depth * 2)}`;
    return [
      { path: `${path}f`, body: Buffer.from(`${depth}`) },
      { path: `${path}l`, typeflag: '1', linkpath: `${path.slice(4)}f` },
      { path: `${path}s`, typeflag: '2', linkpath: 'f' },
      { path: `${path}p`, typeflag: '6' },
    ];
  }).flat();
  writeFileSync(join(directory, 'rootfs.tar'), archive(members));
  const input = join(directory, 'rootfs.tar');
  const { artifact } = await flatten({ input, output: join(directory, 'out/'), verify: true });
  assert.equal(artifact.entries, 1 + 298 + members.length);
});
