import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import {
  contentLayer,
  directory,
  disk,
  FlattenError,
  flatten,
  image,
  imageOf,
  openImage,
  type RunEvent,
  type Sink,
  type Tree,
  tar,
} from '../src/index.js';
import { needs } from './support/needs.js';
import { PROJECT } from './support/project.js';
import { scratch } from './support/scratch.js';
import { archive } from './support/tar.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');

test('an image is looked at: walk, lookup, read, stream', async () => {
  await using opened = await openImage(DEMO);
  assert.equal(opened.layers.length, 4);
  await using tree = await opened.tree();
  const entries = [...tree.walk()];
  assert.equal(entries.length, tree.entries);
  assert.equal(entries[0]!.path, '');
  assert.deepEqual(
    entries.filter(({ kind }) => kind === 'symlink').map(({ path, target }) => [path, target]),
    [...tree.walk()].flatMap(({ path, node }) => (node.kind === 'symlink' ? [[path, node.target]] : [])),
  );
  const release = await tree.read('/etc/os-release');
  assert.match(release.toString(), /^NAME=/m);
  assert.deepEqual(await buffer(tree.stream('etc/os-release')), release);
  assert.equal(tree.lookup('etc/os-release')!.size, release.length);
  const link = entries.find(({ kind }) => kind === 'symlink')!;
  assert.equal(tree.lookup(link.path, { follow: false })!.kind, 'symlink');
  assert.notEqual(tree.lookup(link.path)?.kind, 'symlink');
  assert.equal(tree.lookup('nothing/of/it'), undefined);
  await assert.rejects(tree.read('nothing'), { code: 'NOT_FOUND', message: 'nothing: is not in the image' });
  await assert.rejects(tree.read('etc'), { code: 'NOT_FOUND', message: 'etc: is a directory, no file' });
  const last = opened.layers.at(-1)!;
  const fromLast = entries.filter(({ layer }) => layer === last);
  assert.ok(fromLast.length > 0, 'an entry knows its layer');
});

test('options of the tree are those of the command', async () => {
  await using opened = await openImage(DEMO);
  await using tree = await opened.tree({
    exclude: ['*.txt', '/etc'],
    mkdir: [{ path: '/data', mode: 0o700 }],
  });
  assert.equal(tree.lookup('etc'), undefined);
  assert.equal(tree.lookup('data')!.meta.mode, 0o700);
});

test('paths are text, bytes where they are asked for, and come back as they were', async () => {
  const names = ['plain', 'grün', 'caf\\e', 'a\\x5cb', '日本'].map((name) => Buffer.from(name));
  const odd = [
    Buffer.from([0x66, 0xff, 0xfe]),
    Buffer.from([0xc3]),
    Buffer.from('\\xff'),
    Buffer.from([0xc3, 0xbc, 0x80]),
  ];
  const members = [...names, ...odd].map((name) => ({ path: name.toString('latin1'), body: name }));
  await using own = imageOf({
    name: 'own',
    layers: [contentLayer({ name: 'it', content: archive(members) })],
  });
  await using tree = await own.tree();
  const entries = [...tree.walk()].slice(1);
  assert.equal(entries.length, members.length);
  assert.equal(new Set(entries.map(({ path }) => path)).size, members.length);
  for (const { path, bytes } of entries) {
    assert.equal(Buffer.from(path).toString(), path, 'it is well-formed text');
    assert.deepEqual(await tree.read(path), bytes);
  }
  const text = entries.map(({ path }) => path).sort();
  assert.deepEqual(
    text,
    ['\\x5cxff', '\\xc3', 'a\\x5cx5cb', 'caf\\e', 'f\\xff\\xfe', 'grün', 'plain', 'ü\\x80', '日本'].sort(),
  );
});

test('a tree is written to every sink, with progress', { skip: needs('mke2fs') }, async (t) => {
  const home = scratch(t);
  const phases = new Set<string>();
  const onEvent = (event: RunEvent) => {
    if (event.type === 'progress') phases.add(event.phase);
  };
  await using opened = await openImage(DEMO, { onEvent, tmp: home });
  await using tree = await opened.tree();
  const at = (name: string) => join(home, name);
  await tree.writeTo(tar(at('flat.tar'), { verify: true }));
  await tree.writeTo(tar(at('flat.tar.gz')));
  await tree.writeTo(tar(at('odd.name'), { compression: 'zstd', digest: false }));
  await tree.writeTo(directory(at('tree')));
  await tree.writeTo(disk(at('disk.img')));
  const artifact = await tree.writeTo(
    disk(at('disk.raw'), { format: 'ext4', free: { percent: 50 }, digest: true }),
  );
  await tree.writeTo(image(`docker-archive:${at('docker.tar')}:a:b`, { changes: ['CMD ["/x"]'] }));
  await tree.writeTo(image(`oci:${at('layout')}`, { compression: 'gzip' }));
  assert.deepEqual([...phases].sort(), ['check', 'digest', 'load', 'plan', 'write']);
  assert.equal(
    artifact.digest,
    `sha256:${createHash('sha256')
      .update(readFileSync(at('disk.raw')))
      .digest('hex')}`,
  );
  await flatten({ input: DEMO, output: at('other.tar') });
  assert.ok(readFileSync(at('flat.tar')).equals(readFileSync(at('other.tar'))), 'flatten() writes the same');
  await flatten({ input: DEMO, output: at('other.img') });
  assert.ok(readFileSync(at('disk.img')).equals(readFileSync(at('other.img'))));
  assert.ok(statSync(at('tree/etc')).isDirectory());
  await assert.rejects(tree.writeTo(tar(at('flat.tar'))), { code: 'OUTPUT_EXISTS', option: 'force' });
  await tree.writeTo(tar(at('flat.tar'), { force: true }));
  assert.throws(() => image(at('x.tar')), { code: 'USAGE' });
  assert.throws(() => tar('-', { force: true }), { code: 'USAGE', option: 'force' });
});

test('a flat tar streams into an HTTP response', async (t) => {
  const server = createServer(async (_, response) => {
    await using opened = await openImage(DEMO);
    await using tree = await opened.tree();
    response.setHeader('Content-Type', 'application/x-tar');
    await pipeline(tree.tar(), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const body = Buffer.from(await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer());
  const file = join(scratch(t), 'flat.tar');
  await flatten({ input: DEMO, output: file });
  assert.ok(body.equals(readFileSync(file)));
});

test('a reader that goes away ends the tar, and leaves nothing open', async () => {
  await using opened = await openImage(DEMO);
  await using tree = await opened.tree();
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 20; i++) {
    const stream = tree.tar();
    await once(stream, 'readable');
    stream.destroy();
    await once(stream, 'close');
  }
  assert.ok(readdirSync('/proc/self/fd').length <= before);
});

test('an image is read from any stream', async (t) => {
  const home = scratch(t);
  const packed = join(home, 'image.tar.gz');
  writeFileSync(packed, gzipSync(readFileSync(DEMO)));
  for (const stream of [
    createReadStream(DEMO),
    createReadStream(packed),
    Readable.from(chunksOf(readFileSync(DEMO), 1000)),
  ]) {
    await using opened = await openImage(stream, { tmp: home });
    await using tree = await opened.tree();
    assert.equal(opened.kind, 'docker-archive');
    assert.match((await tree.read('etc/os-release')).toString(), /^NAME=/m);
  }
  await assert.rejects(openImage(Readable.from([Buffer.from('no tar')]), { tmp: home }), {
    code: 'BAD_IMAGE',
    message: 'the stream: is neither an image nor a tar archive',
  });
  assert.deepEqual(readdirSync(home), ['image.tar.gz']);
});

function* chunksOf(bytes: Buffer, size: number): Generator<Buffer> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

test("one's own image, of layers out of memory and out of a stream, is written like any other", async (t) => {
  const home = scratch(t);
  const base = archive([
    { path: 'a', body: Buffer.from('old') },
    { path: 'b', body: Buffer.from('gone') },
  ]);
  const top = gzipSync(archive([{ path: 'a', body: Buffer.from('new') }, { path: '.wh.b' }]));
  let closed = 0;
  const own = imageOf(
    {
      name: 'mine',
      layers: [
        contentLayer({ name: 'base', content: base, diffID: digestOf(base) }),
        contentLayer({ name: 'top', content: () => Readable.from(chunksOf(top, 10)), digest: digestOf(top) }),
      ],
      close: async () => void closed++,
    },
    { tmp: home },
  );
  {
    await using tree = await own.tree();
    assert.deepEqual(
      [...tree.walk()].map(({ path }) => path),
      ['', 'a'],
    );
    assert.equal((await tree.read('a')).toString(), 'new');
    assert.equal(tree.lookup('a')!.layer!.name, 'top');
    await tree.writeTo(tar(join(home, 'flat.tar')));
  }
  assert.equal(execFileSync('tar', ['-xOf', join(home, 'flat.tar'), 'a'], { encoding: 'utf8' }), 'new');
  await own.close();
  await own.close();
  assert.equal(closed, 1);

  const wrong = imageOf({
    name: 'w',
    layers: [contentLayer({ name: 'base', content: base, diffID: digestOf(top) })],
  });
  await using tree = await wrong.tree();
  await assert.rejects(tree.read('a'), { code: 'DIGEST_MISMATCH' });
  await assert.rejects(buffer(tree.stream('a')), { code: 'DIGEST_MISMATCH' });
  await assert.rejects(buffer(tree.tar()), { code: 'DIGEST_MISMATCH' });
});

function digestOf(bytes: Buffer): `sha256:${string}` {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

test("one's own sink is given the tree", async () => {
  /** Sums up sizes by the ending of names. */
  class Census implements Sink {
    readonly sizes = new Map<string, number>();

    async write(tree: Tree) {
      for (const { path, size } of tree.walk()) {
        const ending = /\.[a-z]+$/.exec(path)?.[0] ?? '';
        this.sizes.set(ending, (this.sizes.get(ending) ?? 0) + size);
      }
      await tree.verified;
      return { output: 'census', entries: tree.entries, bytes: tree.bytes, losses: [] };
    }
  }
  const census = new Census();
  await using opened = await openImage(DEMO);
  await using tree = await opened.tree();
  const artifact = await tree.writeTo(census);
  assert.equal(artifact.entries, tree.entries);
  assert.equal(
    [...census.sizes.values()].reduce((a, b) => a + b),
    tree.bytes,
  );
});

test('an abort is one documented error, with the reason as its cause', async (t) => {
  const home = scratch(t);
  const controller = new AbortController();
  const reason = new Error('enough');
  const onEvent = (event: RunEvent) => {
    if (event.type === 'progress' && event.phase === 'write') controller.abort(reason);
  };
  await using opened = await openImage(DEMO, { signal: controller.signal, onEvent });
  await using tree = await opened.tree();
  for (const sink of [tar(join(home, 'flat.tar')), directory(join(home, 'tree'))]) {
    await assert.rejects(tree.writeTo(sink), (error) => {
      assert.ok(error instanceof FlattenError);
      assert.equal(error.code, 'INTERRUPTED');
      assert.equal(error.cause, reason);
      return true;
    });
  }
  assert.deepEqual(readdirSync(home), []);
});

test('warnings have a code, and say where', async () => {
  const warnings: RunEvent[] = [];
  const onEvent = (event: RunEvent) => {
    if (event.type === 'warning') warnings.push(event);
  };
  const base = archive([{ path: 'lib', typeflag: '2', linkpath: 'usr/lib' }]);
  const top = archive([
    { path: 'lib/', typeflag: '5' },
    { path: 'lib/x', body: Buffer.from('x') },
    { path: 'gone', typeflag: '3', major: 0, minor: 0 },
  ]);
  const layers = [base, top].map((content, index) => contentLayer({ name: `layer ${index + 1}`, content }));
  const own = imageOf({ name: 'own', layers }, { onEvent });
  await using tree = await own.tree({ exclude: ['nothing'] });
  assert.ok(tree.entries > 2);
  const said = warnings.map((event) =>
    event.type === 'warning' ? [event.code, event.layer, event.path] : [],
  );
  assert.deepEqual(said, [
    ['SYMLINK_REPLACED', 'layer 2', 'lib'],
    ['OVERLAYFS', 'layer 2', 'gone'],
    ['IDLE_GLOB', undefined, undefined],
  ]);
});
