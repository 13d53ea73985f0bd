import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { getfattr, xattrReader } from '../../src/host/xattrs.js';
import type { LayerEntry } from '../../src/layer/layer.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { open, session, type TestSession } from './opening.js';

async function entriesOf(
  t: TestContext,
  directory: string,
  context: TestSession = session(t),
  exclude: string[] = [],
) {
  const image = await open(t, `rootfs:${directory}`, {}, context, { exclude });
  const opened = await image.layers[0]!.open(context);
  const entries = [...opened.entries()];
  opened.close();
  return new Map(entries.map((each: LayerEntry) => [each.entry.path, each]));
}

test('the entries of a directory: sorted, the root first, parents before children', async (t) => {
  const directory = scratch(t);
  for (const path of ['b', 'a', 'a/z', 'a-b']) mkdirSync(join(directory, path));
  writeFileSync(join(directory, 'a', 'f'), 'text');
  symlinkSync('../nowhere', join(directory, 'a', 'link'));
  symlinkSync('a', join(directory, 'dirlink'));
  chmodSync(join(directory, 'a', 'f'), 0o4751);
  lutimesSync(join(directory, 'a', 'link'), 5, 5);
  const entries = await entriesOf(t, directory);
  assert.deepEqual([...entries.keys()], ['.', 'a', 'a/f', 'a/link', 'a/z', 'a-b', 'b', 'dirlink']);
  const { entry, file } = entries.get('a/f')!;
  assert.deepEqual([entry.type, entry.mode, entry.size, entry.offset], ['file', 0o4751, 4, 0]);
  assert.equal(file.file, join(realpathSync(directory), 'a/f'));
  const link = entries.get('a/link')!.entry;
  assert.deepEqual([link.type, link.linkpath, link.mtime], ['symlink', '../nowhere', 5_000_000_000n]);
});

test('nanoseconds, owners, devices and fifos', { skip: needs('root', 'touch', 'mknod') }, async (t) => {
  const directory = scratch(t);
  const path = (name: string) => join(directory, name);
  writeFileSync(path('f'), '');
  execFileSync('touch', ['-d', '1969-12-31T23:59:58.123456789Z', path('f')]);
  execFileSync('chown', ['3000000:7', path('f')]);
  execFileSync('mknod', [path('c'), 'c', '300', '70000']);
  execFileSync('mknod', [path('b'), 'b', '4095', '1048575']);
  execFileSync('mknod', [path('p'), 'p']);
  const entries = await entriesOf(t, directory);
  const { mtime, uid, gid } = entries.get('f')!.entry;
  assert.deepEqual([mtime, uid, gid], [-1_876_543_211n, 3_000_000, 7]);
  const device = (name: string) => {
    const { type, major, minor } = entries.get(name)!.entry;
    return [type, major, minor];
  };
  assert.deepEqual(device('c'), ['char', 300, 70000]);
  assert.deepEqual(device('b'), ['block', 4095, 1048575]);
  assert.deepEqual(device('p'), ['fifo', 0, 0]);
});

test('further names of an inode are links to the first', async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'z'));
  writeFileSync(join(directory, 'z', 'one'), 'x');
  linkSync(join(directory, 'z', 'one'), join(directory, 'two'));
  const entries = await entriesOf(t, directory);
  assert.equal(entries.get('two')!.entry.type, 'file');
  const { type, linkpath } = entries.get('z/one')!.entry;
  assert.deepEqual([type, linkpath], ['link', 'two']);
});

test('names that are no text', async (t) => {
  const directory = scratch(t);
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0x0a, 0x5c])]), '');
  const entries = await entriesOf(t, directory);
  assert.deepEqual([...entries.keys()], ['.', '\xff\n\\']);
});

test('sockets are left out with a warning', async (t) => {
  const directory = scratch(t);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(directory, 'socket'), resolve));
  t.after(() => server.close());
  const context = session(t);
  assert.deepEqual([...(await entriesOf(t, directory, context)).keys()], ['.']);
  assert.match(context.warnings.join(), /1 socket is left out/);
});

test('the output is left out, and a run that is aborted ends', async (t) => {
  const directory = scratch(t);
  mkdirSync(join(directory, 'out', 'deep'), { recursive: true });
  mkdirSync(join(directory, 'other'));
  const entries = await entriesOf(t, directory, session(t), [
    join(directory, 'out'),
    join(directory, 'absent'),
  ]);
  assert.deepEqual([...entries.keys()], ['.', 'other']);
  await assert.rejects(entriesOf(t, directory, session(t, { signal: AbortSignal.abort() })), {
    code: 'INTERRUPTED',
  });
});

test('what goes away while it is read is an error that names it', async (t) => {
  const directory = scratch(t);
  for (const name of ['a', 'b']) writeFileSync(join(directory, name), '');
  const context = session(t);
  const image = await open(t, directory, {}, context);
  const entries = (await image.layers[0]!.open(context)).entries()[Symbol.iterator]();
  assert.equal(entries.next().value.entry.path, '.');
  assert.equal(entries.next().value.entry.path, 'a');
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
  assert.throws(() => entries.next(), { code: 'IO', message: /\/b: no such file or directory \(ENOENT\)$/ });
});

test('xattrs, by the C library and by getfattr alike', { skip: needs('getfattr', 'setfattr') }, async (t) => {
  const directory = realpathSync(scratch(t));
  const odd = Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xe9, 0x0a, 0x5c])]);
  const plain = join(directory, 'plain');
  for (const path of [odd, plain]) writeFileSync(path, '');
  execFileSync('setfattr', ['-n', 'user.bytes', '-v', '0x00ff0a', plain]);
  execFileSync('setfattr', ['-n', 'user.none', plain]);
  execFileSync('find', [
    directory,
    '-type',
    'f',
    '-exec',
    'setfattr',
    '-n',
    'user.both',
    '-v',
    'x',
    '{}',
    '+',
  ]);
  const context = session(t);
  for (const reader of [
    (await xattrReader(directory, context.signal))!,
    (await getfattr(directory, context.signal))!,
  ]) {
    const own = (path: string) =>
      [...reader(path)].filter(([name]) => name.startsWith('user.')).sort(([a], [b]) => (a < b ? -1 : 1));
    assert.deepEqual(own(plain), [
      ['user.both', Buffer.from('x')],
      ['user.bytes', Buffer.from([0, 255, 10])],
      ['user.none', Buffer.alloc(0)],
    ]);
    assert.deepEqual(own(odd.toString('latin1')), [['user.both', Buffer.from('x')]]);
    assert.equal(own(directory).length, 0);
  }
});
