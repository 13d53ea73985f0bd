/** Hard links, judged by umoci, which unpacks layer by layer and entry by entry: what it can unpack is what the cases say. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { allCases, type Case } from './support/case.js';
import { layerTar } from './support/case-layer.js';
import { ociFiles, writeFiles } from './support/image.js';
import { listDirectory } from './support/list-directory.js';
import { lines, type Row } from './support/listing.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';

/** Where umoci differs, and why. */
const BEYOND: Readonly<Record<string, string>> = {
  '04-symlink-parents/link-target-replaced': 'it follows symlinks of lower layers, as keep-dirlinks does',
  '04-symlink-parents/link-target-forty-one': 'it follows up to 255 symlinks',
};

/** Links that come before their target, or after its removal: who unpacks in sequence finds nothing there. */
const FAILS = /no such file or directory|not a directory/;

const skip = needs('root', 'umoci', 'getfattr');

test('hard links are what one who unpacks in sequence makes of them, where that works', { skip }, (t) => {
  const agreed: string[] = [];
  for (const one of allCases()) {
    const isMeant = /^05-hard-links|^04-symlink-parents\/link-target/.test(one.name) && !(one.name in BEYOND);
    if (!isMeant || one.tree === undefined) continue;
    const unpacked = unpack(one, scratch(t));
    if (typeof unpacked === 'string') {
      assert.match(unpacked, FAILS, one.name);
      continue;
    }
    assert.deepEqual(comparable(unpacked), comparable(one.tree), one.name);
    agreed.push(one.name);
  }
  assert.ok(agreed.length >= 20, `only ${agreed.length}: ${agreed.join(', ')}`);
});

/** What umoci unpacks, or what it says where it does not. */
function unpack({ layers }: Case, directory: string): readonly Row[] | string {
  const [layout, bundle] = [join(directory, 'layout'), join(directory, 'bundle')];
  writeFiles(layout, ociFiles(layers.map((layer) => ({ tar: layerTar(layer) }))));
  const { status, stderr } = spawnSync('umoci', ['unpack', '--image', `${layout}:latest`, bundle], {
    encoding: 'utf8',
  });
  return status === 0 ? listDirectory(join(bundle, 'rootfs')) : stderr;
}

/** Directories that no entry describes get the time and the mode of the unpacking. */
function comparable(rows: readonly Row[]): string[] {
  return lines(rows.map((row) => (row.kind === 'd' ? { ...row, mode: 0, mtime: 0n } : row)));
}
