import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../../src/context.js';
import { FlattenError } from '../../src/errors.js';
import { directory, type Rootfs } from '../../src/rootfs/node.js';
import { openHash } from '../../src/sinks/archive/hash.js';
import { writeArchive } from '../../src/sinks/archive/stream.js';
import { TarForm } from '../../src/sinks/tar/members.js';
import { tarSink } from '../../src/sinks/tar.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { quiet } from './tar-context.js';
import { device, everything, fifo, meta, Specimen, symlink } from './tar-specimen.js';

const OPTIONS = { force: false, strict: true, compression: 'none' } as const;

/** The whole tar of a tree. */
async function tarOf(rootfs: Rootfs, options = { sparse: true }): Promise<Buffer> {
  const parts: Buffer[] = [];
  const out = async (chunk: Buffer) => {
    parts.push(Buffer.from(chunk));
  };
  await writeArchive(rootfs, new TarForm(options), out, quiet());
  return Buffer.concat(parts);
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

test('a small tree is these bytes, on every machine', async (t) => {
  const specimen = new Specimen(t, scratch(t), { mode: 0o755, mtime: 1_000_000_000n });
  const file = specimen.add(
    'etc/os-release',
    specimen.file(Buffer.from('NAME=x\n'), { mtime: 1_500_000_000n }),
  );
  specimen.add('bin', symlink('usr/bin'));
  specimen.add('etc/linked', file);
  specimen.add(
    'usr/bin/ping',
    specimen.file(Buffer.from('#!'), {
      mode: 0o4755,
      uid: 3_000_000,
      xattrs: new Map([['security.capability', Buffer.from([1, 0, 0, 2])]]),
    }),
  );
  specimen.add('dev/null', device('char', 1, 3));
  specimen.add('run/fifo', fifo());
  specimen.add('empty', directory(meta({ mode: 0o1777 })));
  specimen.add(
    'hole',
    specimen.file(Buffer.from('end'), {}, { size: 1_000_003, segments: [{ start: 999_424, length: 3 }] }),
  );
  const tar = await tarOf(specimen.rootfs());
  assert.equal(sha256(tar), 'sha256:dd42692f3df34ab7921bf79468f0fdf0e7822d60154640760aa6204ee415aa11');
});

test(
  'names are in the order of walk, links after their first name, the root first',
  {
    skip: needs('tar'),
  },
  async (t) => {
    const specimen = new Specimen(t, scratch(t));
    const file = specimen.add('b/x', specimen.file(Buffer.from('1')));
    specimen.add('b-c', symlink('b'));
    specimen.add('a/link', file);
    specimen.add('b/a', specimen.file(Buffer.from('2')));
    const tar = await tarOf(specimen.rootfs());
    const { stdout } = spawnSync('tar', ['-tf', '-'], { input: tar, encoding: 'latin1' });
    assert.equal(stdout, './\na/\na/link\nb/\nb/a\nb/x\nb-c\n');
    const { stdout: long } = spawnSync('tar', ['-tvf', '-', 'b/x'], { input: tar, encoding: 'latin1' });
    assert.match(long, /^h.* b\/x link to a\/link\n$/);
  },
);

test('the file, its size and its digest are one; nothing else stays', async (t) => {
  const home = scratch(t);
  const rootfs = everything(t, scratch(t));
  const output = join(home, 'flat.tar');
  const artifact = await tarSink(output, OPTIONS).write({ rootfs, verified: Promise.resolve() }, quiet());
  const bytes = readFileSync(output);
  assert.deepEqual(artifact, {
    output,
    entries: rootfs.entries,
    bytes: bytes.length,
    digest: sha256(bytes),
    losses: [],
  });
  assert.deepEqual(bytes, await tarOf(rootfs));
  assert.deepEqual(readdirSync(home), ['flat.tar']);
});

test('a large tree, hashed by a thread of its own, is whole', async (t) => {
  const home = scratch(t);
  const specimen = new Specimen(t, home);
  const content = Buffer.alloc(50 * 2 ** 20 + 1, 'flatten ');
  specimen.add('large', specimen.file(content));
  const output = join(home, 'flat.tar');
  const events: RunEvent[] = [];
  const { digest, bytes } = await tarSink(output, OPTIONS).write(
    { rootfs: specimen.rootfs(), verified: Promise.resolve() },
    quiet({ report: (event) => events.push(event) }),
  );
  const written = readFileSync(output);
  assert.equal(bytes, written.length);
  assert.equal(digest, sha256(written));
  assert.ok(written.subarray(1024, 1024 + content.length).equals(content));
  const last = events.at(-1);
  assert.deepEqual(last, { type: 'progress', phase: 'write', done: content.length, total: content.length });
  assert.ok(events.length > 50);
});

test('a sparse file can be inflated, as image layers want it', { skip: needs('tar') }, async (t) => {
  const directory = scratch(t);
  const specimen = new Specimen(t, directory);
  const sparse = { size: 2_000_000, segments: [{ start: 1_500_001, length: 3 }] };
  specimen.add('hole', specimen.file(Buffer.from('end'), {}, sparse));
  const tar = await tarOf(specimen.rootfs(), { sparse: false });
  const { stdout } = spawnSync('tar', ['-xOf', '-', 'hole'], { input: tar, maxBuffer: 2 ** 24 });
  assert.equal(stdout.length, 2_000_000);
  assert.equal(stdout.toString('latin1', 1_500_001, 1_500_004), 'end');
  assert.equal(stdout.filter((byte) => byte !== 0).length, 3);
  assert.ok(tar.length > 2_000_000);
});

test('content that lies on the host, in files of their own, is read too', async (t) => {
  const home = scratch(t);
  const root = directory();
  for (const name of ['one', 'two']) {
    writeFileSync(join(home, name), name);
    const content = { layer: { order: 0, file: join(home, name) }, offset: 0, size: 3 };
    root.children.set(name, { kind: 'file', meta: meta({}), nlink: 1, content });
  }
  const tar = await tarOf({ root, entries: 3, inodes: 3, bytes: 6 });
  assert.equal(tar.toString('latin1', 1024, 1027), 'one');
  assert.equal(tar.toString('latin1', 2048, 2051), 'two');
});

for (const [compression, tool] of [
  ['gzip', 'gzip'],
  ['zstd', 'zstd'],
] as const) {
  test(`${compression}: the same tar, packed, the same bytes each time`, { skip: needs(tool) }, async (t) => {
    const home = scratch(t);
    const rootfs = everything(t, scratch(t));
    const digests = new Set<string | undefined>();
    for (const name of ['one', 'two']) {
      const output = join(home, name);
      const sink = tarSink(output, { ...OPTIONS, compression });
      const { digest, bytes } = await sink.write({ rootfs, verified: Promise.resolve() }, quiet());
      digests.add(digest);
      assert.equal(digest, sha256(readFileSync(output)));
      assert.equal(bytes, statSync(output).size);
    }
    assert.equal(digests.size, 1);
    const { stdout } = spawnSync(tool, ['-dc'], {
      input: readFileSync(join(home, 'one')),
      maxBuffer: 2 ** 26,
    });
    assert.ok(stdout.equals(await tarOf(rootfs)));
  });
}

test('an existing file is refused, or replaced only once the new one is whole', async (t) => {
  const home = scratch(t);
  const output = join(home, 'flat.tar');
  writeFileSync(output, 'old');
  const specimen = new Specimen(t, scratch(t));
  const rootfs = specimen.rootfs();
  const write = (force: boolean, verified: Promise<void>) =>
    tarSink(output, { ...OPTIONS, force }).write({ rootfs, verified }, quiet());
  await assert.rejects(write(false, Promise.resolve()), { code: 'OUTPUT_EXISTS' });
  await assert.rejects(write(true, Promise.reject(new FlattenError('DIGEST_MISMATCH', 'no'))), {
    code: 'DIGEST_MISMATCH',
  });
  assert.equal(readFileSync(output, 'utf8'), 'old');
  await write(true, Promise.resolve());
  assert.equal(statSync(output).size, 512 + 1024);
  assert.deepEqual(readdirSync(home), ['flat.tar']);
});

test('interrupted or refused on the way, nothing stays', async (t) => {
  const home = scratch(t);
  const output = join(home, 'flat.tar');
  const specimen = new Specimen(t, scratch(t));
  specimen.add('large', specimen.file(Buffer.alloc(40 * 2 ** 20)));
  const rootfs = specimen.rootfs();
  const controller = new AbortController();
  const report = (event: RunEvent) => {
    if (event.type === 'progress' && event.done > 2 ** 23) controller.abort();
  };
  await assert.rejects(
    tarSink(output, OPTIONS).write(
      { rootfs, verified: Promise.resolve() },
      quiet({ report, signal: controller.signal }),
    ),
    { code: 'INTERRUPTED' },
  );
  assert.deepEqual(readdirSync(home), []);

  let written = 0;
  let refuse = (_: Error) => {};
  const verified = new Promise<void>((_, reject) => {
    refuse = reject;
  });
  const watch = (event: RunEvent) => {
    if (event.type === 'progress') written = event.done;
    if (written > 2 ** 23) refuse(new FlattenError('DIGEST_MISMATCH', 'no'));
  };
  await assert.rejects(tarSink(output, OPTIONS).write({ rootfs, verified }, quiet({ report: watch })), {
    code: 'DIGEST_MISMATCH',
  });
  assert.ok(written < rootfs.bytes, 'it does not write on');
  assert.deepEqual(readdirSync(home), []);
});

test('a level that the compression does not have is refused, and nothing stays', async (t) => {
  const home = scratch(t);
  const { root } = new Specimen(t, scratch(t));
  // So large that hashing it would be worth a thread, which must not be left behind.
  const flattened = { rootfs: { root, entries: 1, inodes: 1, bytes: 2 ** 30 }, verified: Promise.resolve() };
  const sink = tarSink(join(home, 'x'), { ...OPTIONS, compression: 'gzip', level: 99 });
  await assert.rejects(sink.write(flattened, quiet()), { code: 'USAGE' });
  assert.deepEqual(readdirSync(home), []);
});

test('an output that cannot be written is named', async (t) => {
  const output = join(scratch(t), 'missing', 'flat.tar');
  const { root } = new Specimen(t, scratch(t));
  const flattened = { rootfs: { root, entries: 1, inodes: 1, bytes: 0 }, verified: Promise.resolve() };
  await assert.rejects(tarSink(output, OPTIONS).write(flattened, quiet()), (error: FlattenError) => {
    assert.ok(error instanceof FlattenError);
    assert.match(error.message, /missing/);
    return true;
  });
});

test(
  'a full disk is an error in words',
  {
    skip: !existsSync('/dev/full') && 'needs /dev/full',
  },
  async (t) => {
    const { status, stderr } = toStandardOutput(scratch(t), openSync('/dev/full', 'w'));
    assert.equal(status, 1);
    assert.deepEqual(JSON.parse(stderr), { code: 'IO' });
  },
);

const CHILD = fileURLToPath(new URL('./tar-stdout.js', import.meta.url));
/** The child's first line. */
const WAITING = 'waiting\n';

function toStandardOutput(home: string, stdout: number): { status: number | null; stderr: string } {
  const result = spawnSync(process.execPath, [CHILD, join(home, 'layer'), '3000000'], {
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
  });
  closeSync(stdout);
  return { ...result, stderr: result.stderr.replace(WAITING, '') };
}

test('standard output: a file', async (t) => {
  const home = scratch(t);
  const path = join(home, 'out.tar');
  const { stderr } = toStandardOutput(home, openSync(path, 'w'));
  const bytes = readFileSync(path);
  const { digest, bytes: size, output } = JSON.parse(stderr);
  assert.deepEqual({ output, size, digest }, { output: '-', size: bytes.length, digest: sha256(bytes) });
});

test('standard output: a pipe, slowly read; nothing before all is verified', async (t) => {
  const child = spawn(process.execPath, [CHILD, join(scratch(t), 'layer'), '3000000']);
  const report = reportOf(child);
  await once(child.stderr, 'data');
  await turn(); // what else has come by now is there too
  assert.equal(child.stdout.read(), null);
  child.stdin.end();
  const parts: Buffer[] = [];
  for await (const chunk of child.stdout) {
    parts.push(chunk);
    // At first we wait until there is no room for more here: then the writer comes to wait, too.
    const isFull = () => child.stdout.readableLength >= child.stdout.readableHighWaterMark;
    while (parts.length < 10 && !isFull()) await turn();
  }
  const { digest } = await report;
  assert.equal(digest, sha256(Buffer.concat(parts)));
});

test('standard output: a reader that goes away, and an interrupt while it sleeps', async (t) => {
  const gone = spawn(process.execPath, [CHILD, join(scratch(t), 'layer'), '3000000']);
  gone.stdin.end();
  gone.stdout.once('data', () => gone.stdout.destroy());
  assert.deepEqual(await ending(gone), { code: 'EPIPE' });

  const asleep = spawn(process.execPath, [CHILD, join(scratch(t), 'layer'), '3000000']);
  asleep.stdin.end();
  // Something has come, so the pipe is filling up, and nobody reads on.
  await new Promise((resolve) => asleep.stdout.once('readable', resolve));
  asleep.kill('SIGINT');
  assert.deepEqual(await ending(asleep), { code: 'INTERRUPTED' });
});

async function ending(child: ChildProcess): Promise<unknown> {
  const report = reportOf(child);
  await once(child, 'exit');
  child.stdout!.destroy();
  return report;
}

/** What the child says in the end. */
async function reportOf(child: ChildProcess): Promise<{ digest?: string }> {
  let said = '';
  child.stderr!.on('data', (chunk) => {
    said += chunk;
  });
  await once(child.stderr!, 'end');
  return JSON.parse(said.replace(WAITING, ''));
}

test('a hash thread that cannot go on says so, and a small hash needs none', async () => {
  for (const size of [1, 2 ** 30]) {
    const hash = openHash(size);
    await Promise.all([hash.update(Buffer.from('a')), hash.update(Buffer.from('b'))]);
    assert.equal(await hash.digest(), sha256(Buffer.from('ab')));
    hash.close();
  }
  const closed = openHash(2 ** 30);
  closed.close();
  await assert.rejects(closed.update(Buffer.from('a')), /thread/);
});
