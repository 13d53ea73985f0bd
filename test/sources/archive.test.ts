import assert from 'node:assert/strict';
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { Archive, looksLikeImage } from '../../src/sources/archive.js';
import { archive, type Member } from '../support/tar.js';
import { put, session } from './opening.js';

function index(t: TestContext, bytes: Buffer, isImage = () => true): Archive {
  const path = put(t, bytes);
  const fd = openSync(path, 'r');
  const members = new Archive('image.tar', { fd, offset: 0, length: statSync(path).size }, () =>
    closeSync(fd),
  );
  t.after(() => members.close());
  members.scan(session(t), isImage);
  return members;
}

function content(members: Archive, path: string): string | undefined {
  const range = members.find(path);
  if (range === undefined) return undefined;
  const bytes = Buffer.alloc(range.length);
  readSync(range.fd, bytes, 0, bytes.length, range.offset);
  return bytes.toString('latin1');
}

const file = (path: string, text = path): Member => ({ path, body: Buffer.from(text) });
const symlink = (path: string, linkpath: string): Member => ({ path, typeflag: '2', linkpath });
const link = (path: string, linkpath: string): Member => ({ path, typeflag: '1', linkpath });

test('members are found however their names are written', (t) => {
  const members = index(
    t,
    archive([file('./a//b'), file('/c'), file('d/./e'), { path: 'f/', typeflag: '5' }]),
  );
  assert.equal(content(members, 'a/b'), './a//b');
  assert.equal(content(members, './a/b'), './a//b');
  assert.equal(content(members, 'c'), '/c');
  assert.equal(content(members, 'd/e'), 'd/./e');
  assert.equal(content(members, 'f'), undefined);
  assert.equal(content(members, 'a'), undefined);
  assert.deepEqual([...members.top()].sort(), ['a', 'c', 'd', 'f']);
});

test('the last of two members with one name counts', (t) => {
  const members = index(
    t,
    archive([file('a', 'old'), symlink('b', 'a'), file('a', 'new'), file('b', 'own')]),
  );
  assert.equal(content(members, 'a'), 'new');
  assert.equal(content(members, 'b'), 'own');
});

test('links lead to other members, also through a linked directory', (t) => {
  const members = index(
    t,
    archive([
      symlink('x/layer.tar', '../y/layer.tar'),
      link('z/layer.tar', './x/layer.tar'),
      file('y/layer.tar', 'layer'),
      symlink('w', 'y'),
      symlink('here', '.'),
    ]),
  );
  for (const path of ['x/layer.tar', 'y/layer.tar', 'z/layer.tar', 'w/layer.tar', 'here/here/y/layer.tar']) {
    assert.equal(content(members, path), 'layer', path);
  }
});

test('a link out of the archive or in a circle is an error', (t) => {
  const members = index(
    t,
    archive([
      symlink('up', '../../etc/passwd'),
      symlink('abs', '/etc/passwd'),
      symlink('a', 'b'),
      symlink('b', 'a'),
      link('self', 'self'),
      symlink('dangling', 'nothing'),
    ]),
  );
  for (const path of ['up', 'abs']) {
    assert.throws(() => members.find(path), { code: 'BAD_IMAGE', message: /leads out of the archive/ });
  }
  for (const path of ['a', 'self']) {
    assert.throws(() => members.find(path), { code: 'BAD_IMAGE', message: /goes round in a circle/ });
  }
  assert.equal(members.find('dangling'), undefined);
});

test('a long chain of links through deep directories is followed once', (t) => {
  const deep = 'a/'.repeat(1900);
  const chain = Array.from({ length: 39 }, (_, index) => symlink(`${deep}${index}`, `${index + 1}`));
  const members = index(t, archive([...chain, file(`${deep}39`, 'end')]));
  for (let times = 0; times < 100; times++) assert.equal(members.find(`${deep}0`)?.length, 3);
});

test('a path that leads above the top finds nothing', (t) => {
  const members = index(t, archive([file('../evil'), file('a/../../evil'), file('ok/../evil', 'inside')]));
  assert.equal(members.find('../evil'), undefined);
  assert.equal(content(members, 'evil'), 'inside');
  assert.equal(members.find('x/'.repeat(1_000_000)), undefined);
});

test('a sparse member is refused by name, since its bytes do not lie in one run', (t) => {
  const sparse = { form: 'pax-1.0', realSize: 10, runs: [[5, 5]] } as const;
  const members = index(t, archive([{ path: 'layer.tar', body: Buffer.from('12345'), sparse }]));
  assert.throws(() => members.find('layer.tar'), {
    code: 'UNSUPPORTED',
    message: /layer\.tar: is stored as a sparse/,
  });
});

test('the scan of a root filesystem ends early', (t) => {
  const names = Array.from({ length: 1500 }, (_, index) => file(`usr/share/${index}`, ''));
  assert.equal(index(t, archive(names), () => false).whole, false);
  assert.equal(index(t, archive(names), () => true).whole, true);
  assert.equal(index(t, archive(names.slice(0, 900)), () => false).whole, true);
});

test('what is no tar, and a tar that ends too soon, say so', (t) => {
  assert.throws(() => index(t, Buffer.from('not a tar'.repeat(200))), {
    code: 'BAD_IMAGE',
    message: /image\.tar: is neither an image nor a tar archive/,
  });
  assert.throws(() => index(t, archive([file('a'), file('b', 'x'.repeat(5000))], { cut: 4000 })), {
    code: 'BAD_IMAGE',
    message: /image\.tar: is a broken archive: .*b/,
  });
});

test('the names at the top tell a broken image from a root filesystem', () => {
  const id = 'a'.repeat(64);
  assert.equal(looksLikeImage(new Set(['manifest.json', `${id}.json`, id])), true);
  assert.equal(looksLikeImage(new Set(['blobs', 'oci-layout', 'index.json'])), true);
  assert.equal(looksLikeImage(new Set(['manifest.json', 'bin', 'etc'])), false);
  assert.equal(looksLikeImage(new Set(['data.json', 'data.tar'])), false);
  assert.equal(looksLikeImage(new Set()), false);
});
