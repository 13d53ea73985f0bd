import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ArchiveStore } from '../../../src/sinks/image/archive-store.js';
import { fileHeader } from '../../../src/sinks/image/envelope.js';
import { scratch } from '../../support/scratch.js';

test('a layer of more than 8 GiB has one header too, which GNU tar reads', async (t) => {
  const size = 9 * 2 ** 30 + 7;
  const header = await fileHeader(`blobs/sha256/${'a'.repeat(64)}`, size);
  assert.equal(header.length, 512);
  const path = join(scratch(t), 'header.tar');
  writeFileSync(path, header);
  const { stdout } = spawnSync('tar', ['-tvf', path], { encoding: 'utf8' }); // it misses the rest
  assert.match(stdout, new RegExp(`^-rw-r--r-- 0/0 +${size} 1970`));
});

test('blobs get their names after they are written; one that is there already is dropped', async (t) => {
  const path = join(scratch(t), 'archive.tar');
  const fd = openSync(path, 'wx+');
  const store = new ArchiveStore(fd);
  for (const [name, text] of [
    ['a', 'one'],
    ['b', 'x'.repeat(600)],
    ['a', 'one'],
    ['c', ''],
    ['c', ''],
  ] as const) {
    const begun = await store.begin();
    await begun.write(Buffer.from(text));
    const blob = await begun.end();
    assert.equal(blob.size, text.length);
    await blob.name(name);
  }
  await store.file('d', Buffer.from('small'));
  await store.finish();
  closeSync(fd);
  assert.equal(readFileSync(path).length, store.bytes);
  const listed = execFileSync('tar', ['-tf', path], { encoding: 'utf8' });
  assert.equal(listed, 'a\nb\nc\nd\n');
  const read = (name: string) => execFileSync('tar', ['-xOf', path, name], { encoding: 'utf8' });
  assert.deepEqual(['a', 'b', 'c', 'd'].map(read), ['one', 'x'.repeat(600), '', 'small']);
});
