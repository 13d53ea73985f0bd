/** PAX records that mean metadata and are not taken: each is a loss, and `--strict` fails. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../src/index.js';
import { ociFiles, writeFiles } from './support/image.js';
import { run } from './support/program.js';
import { scratch } from './support/scratch.js';
import { archive, type Member, paxHeader } from './support/tar.js';

const LOST = [
  'SCHILY.fflags',
  'SCHILY.acl.ace',
  'LIBARCHIVE.creationtime',
  'RHT.security.other',
  'MSWINDOWS.rawsd',
  'APPLE.whatever',
  'VENDOR.key',
  'realtime.any',
  'unknown',
];
const NOT_LOST = [
  'atime',
  'ctime',
  'comment',
  'hdrcharset',
  'uname',
  'gname',
  'SCHILY.dev',
  'SCHILY.ino',
  'SCHILY.nlink',
  'SCHILY.filetype',
  'SCHILY.volhdr.label',
  'LIBARCHIVE.symlinktype',
  'GNU.volume.label',
  'GNU.dumpdir',
];

test('which records are losses', async (t) => {
  const cwd = scratch(t);
  const input = join(cwd, 'x.tar');
  const records = [...LOST, ...NOT_LOST].map((key): [string, string] => [key, '1']);
  const members = records.map((record, index): Member => ({ path: `f${index}`, records: [record] }));
  writeFileSync(input, archive(members));
  for (const output of ['flat.tar', 'oci:layout', 'docker-archive:image.tar', 'disk.ext2']) {
    const [transport, name = transport] = output.split(':') as [string, string?];
    const path = name === transport ? join(cwd, name) : `${transport}:${join(cwd, name)}`;
    const { artifact } = await flatten({ input, output: path });
    const expected = LOST.map((key, index) => [key, 1, `f${index}`]).sort();
    assert.deepEqual(
      artifact.losses.map(({ kind, count, example }) => [kind, count, example]),
      expected,
      output,
    );
    await assert.rejects(flatten({ input, output: path, strict: true, force: true }), {
      code: 'LOSS',
      path: 'f0',
    });
  }
  const exclude = LOST.map((_, index) => `/f${index}`);
  const { artifact } = await flatten({ input, output: join(cwd, 'rest.tar'), exclude, strict: true });
  assert.deepEqual(artifact.losses, []);
});

test('global records count for each inode that follows, an empty one takes them back, and what is gone is no loss', async (t) => {
  const cwd = scratch(t);
  const image = join(cwd, 'image');
  const layers = [
    archive([
      paxHeader([['SCHILY.fflags', 'nodump']], 'g'),
      { path: 'a' },
      { path: 'b', typeflag: '1', linkpath: 'a' },
      { path: 'c', typeflag: '2', linkpath: 'a' },
      { path: 'gone', records: [['VENDOR.key', '1']] },
      paxHeader([['VENDOR.key', '']], 'g'),
      { path: 'd', records: [['SCHILY.other', '']] },
    ]),
    archive([{ path: '.wh.gone' }]),
  ];
  writeFiles(image, ociFiles(layers.map((tar) => ({ tar }))));
  const { artifact } = await flatten({ input: image, output: join(cwd, 'x.tar') });
  assert.deepEqual(
    artifact.losses.map(({ kind, count, example }) => [kind, count, example]),
    [['SCHILY.fflags', 3, 'a']],
  );
});

test('keys without end are told of in a few lines that no terminal obeys', (t) => {
  const cwd = scratch(t);
  const members = Array.from({ length: 500 }, (_, index): Member => {
    return {
      path: `f${index}`,
      records: [
        [`VENDOR.\x1b[31m${'k'.repeat(300)}${index}`, '1'],
        [`V.${index}`, '1'],
      ],
    };
  });
  writeFileSync(join(cwd, 'x.tar'), archive(members));
  const { code, stderr } = run(['x.tar', '-o', 'flat.tar'], { cwd });
  assert.equal(code, 0, stderr);
  const lines = stderr
    .trim()
    .split('\n')
    .filter((line) => line.includes('not held'));
  assert.equal(lines.length, 31);
  assert.match(lines.join('\n'), /not held: other PAX records of 471 /);
  assert.ok(lines.every((line) => line.length < 250 && !line.includes('\x1b')));
});
