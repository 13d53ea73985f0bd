import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Rootfs } from '../../src/rootfs/node.js';
import { FORMATS, imageIn, tool, writeExt } from '../ext/images.js';
import { meta, TreeBuilder } from '../ext/tree-builder.js';
import { sha256 } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';

const CHILD = fileURLToPath(new URL('../ext/write-child.js', import.meta.url));

/** The digests of the specimen's images when it is written by a program of its own in such an environment. */
function writtenIn(directory: string, umask: number, env: Readonly<Record<string, string>>): string[] {
  const { PATH } = process.env;
  const args = [CHILD, directory, String(umask)];
  const { status, stderr } = spawnSync(process.execPath, args, { env: { PATH, ...env }, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  return (['ext3', 'ext4'] as const).map((format) => sha256(readFileSync(imageIn(directory, format))));
}

test(
  'umask, locale, time zone, TMPDIR, clock and mke2fs.conf change no byte',
  {
    skip: needs('mke2fs'),
  },
  (t) => {
    const plain = writtenIn(scratch(t), 0o022, {});
    const other = writtenIn(scratch(t), 0o077, {
      LC_ALL: 'de_DE.UTF-8',
      LANG: 'tr_TR.UTF-8',
      TZ: 'Asia/Kathmandu',
      TMPDIR: scratch(t),
      E2FSPROGS_FAKE_TIME: '1234567890',
      SOURCE_DATE_EPOCH: '987654321',
      MKE2FS_CONFIG: '/nonexistent',
      MKE2FS_DEVICE_SECTSIZE: '2048',
      MKE2FS_SYNC: '1',
    });
    assert.deepEqual(other, plain);
  },
);

test('the UUID is that of the tree: of names, metadata and content', { skip: needs('mke2fs') }, async (t) => {
  const directory = scratch(t);
  const uuidOf = async (rootfs: Rootfs) => {
    await writeExt(rootfs, imageIn(directory, 'ext3'), { format: 'ext3', force: true });
    return /UUID: *(\S+)/.exec(tool('dumpe2fs', '-h', imageIn(directory, 'ext3')))![1];
  };
  const tree = (name: string, mtime: bigint, content: string) => {
    const builder = new TreeBuilder(t);
    builder.file(name, content, meta({ mtime }));
    return builder.finish();
  };
  const uuids = [
    await uuidOf(tree('name', 1n, 'content')),
    await uuidOf(tree('Name', 1n, 'content')),
    await uuidOf(tree('name', 2n, 'content')),
    await uuidOf(tree('name', 1n, 'Content')),
  ];
  assert.equal(new Set(uuids).size, 4);
  assert.equal(await uuidOf(tree('name', 1n, 'content')), uuids[0]);
});

test('a second run in the same program gives the same image', { skip: needs('mke2fs') }, async (t) => {
  const tree = new TreeBuilder(t);
  for (let i = 0; i < 200; i++) tree.file(`d${i % 7}/f${i}`, Buffer.alloc(1000 * i, `${i}`));
  const rootfs = tree.finish();
  for (const format of FORMATS) {
    const images = [scratch(t), scratch(t)].map((directory) => imageIn(directory, format));
    for (const image of images) await writeExt(rootfs, image, { format });
    assert.ok(readFileSync(images[0]!).equals(readFileSync(images[1]!)));
  }
});
