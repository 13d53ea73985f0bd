import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { RunEvent } from '../../src/context.js';
import { FlattenError } from '../../src/errors.js';
import { libc } from '../../src/host/libc.js';
import type { Rootfs } from '../../src/rootfs/node.js';
import { directorySink, type Machine, writeDirectory } from '../../src/sinks/directory.js';
import { listDirectory } from '../support/list-directory.js';
import { listRootfs } from '../support/list-rootfs.js';
import { lines } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { scratch } from '../support/scratch.js';
import { everyKind, manyFiles } from './directory-specimen.js';
import { quiet } from './tar-context.js';
import { meta, Specimen, symlink } from './tar-specimen.js';

const root = needs('root', 'getfattr', 'setfattr', 'xargs');
const SECOND = 1_000_000_000n;
const LAX = { force: false, strict: false };
const STRICT = { force: false, strict: true };
const FULL: Machine = { libc: libc(), cores: 4 };
const BARE: Machine = { libc: undefined, cores: 1 };

function whole(rootfs: Rootfs) {
  return { rootfs, verified: Promise.resolve() };
}

function fails(code: string, message?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FlattenError, String((error as Error).stack));
    assert.equal(error.code, code);
    if (message) assert.match(error.message, message);
    return true;
  };
}

function same(output: string, rootfs: Rootfs): void {
  const [actual, expected] = [lines(listDirectory(output)), lines(listRootfs(rootfs))];
  // Only what differs: a diff of thousands of lines would take minutes.
  const different = (line: string, i: number) => line !== expected[i];
  assert.deepEqual(
    actual.filter(different).slice(0, 5),
    expected.filter((line, i) => line !== actual[i]).slice(0, 5),
  );
}

test('one of everything, exactly, and nothing lost', { skip: root }, async (t) => {
  const dir = scratch(t);
  const rootfs = everyKind(t, dir);
  const output = join(dir, 'rootfs');
  const artifact = await directorySink(`${output}/`, STRICT).write(whole(rootfs), quiet());
  same(output, rootfs);
  const { entries, bytes } = rootfs;
  assert.deepEqual(artifact, { output: `${output}/`, entries, bytes, losses: [] });
  assert.ok(lstatSync(join(output, 'sparse')).blocks * 512 <= 16384, 'holes stay holes');
  assert.equal(lstatSync(join(output, 'hole')).blocks, 0);
});

test('the same without koffi, by commands; only nanoseconds need it', { skip: root }, async (t) => {
  const dir = scratch(t);
  const rootfs = everyKind(t, dir, { step: SECOND });
  const output = join(dir, 'rootfs');
  await writeDirectory(output, STRICT, whole(rootfs), quiet(), BARE);
  same(output, rootfs);

  const fine = new Specimen(t, scratch(t));
  const times = [1_700_000_000_000_001_000n, 1_700_000_000_000_001_001n, -1_500_000_000n, 2n ** 63n - 1n];
  for (const mtime of times) fine.add(String(mtime), fine.file(Buffer.alloc(1), { mtime }));
  const second = join(dir, 'second');
  const { losses } = await writeDirectory(second, LAX, whole(fine.rootfs()), quiet(), BARE);
  const held = times.map((mtime) => lstatSync(join(second, String(mtime)), { bigint: true }).mtimeNs);
  const different = times.filter((mtime, i) => mtime !== held[i]);
  assert.deepEqual(
    losses.map(({ kind, count }) => [kind, count]),
    [['mtime', different.length]],
    'what is counted is what differs, whatever this version of Node keeps',
  );
  for (const [i, mtime] of times.entries()) assert.ok(mtime - held[i]! < SECOND && held[i]! - mtime < 1000n);
});

test('without koffi and without commands all but xattrs and devices is there', { skip: root }, async (t) => {
  const dir = scratch(t);
  const rootfs = everyKind(t, dir, { step: SECOND });
  const path = process.env.PATH;
  process.env.PATH = dir;
  t.after(() => {
    process.env.PATH = path;
  });
  const { losses } = await writeDirectory(join(dir, 'rootfs'), LAX, whole(rootfs), quiet(), BARE);
  process.env.PATH = path;
  const xattrs = [...new Set(Object.values(nodes(rootfs)))].reduce(
    (sum, { meta }) => sum + meta.xattrs.size,
    0,
  );
  const counts = Object.fromEntries(losses.map(({ kind, count }) => [kind, count]));
  assert.deepEqual(counts, { device: 3, fifo: 2, xattr: xattrs - 1 }); // one is on a device
  const isMade = (line: string) => !/^dev\/(disk|null|fifo)/.test(line);
  const plain = (line: string) => line.split('\t').toSpliced(10, 1).join('\t');
  assert.deepEqual(
    lines(listDirectory(join(dir, 'rootfs'))).map(plain),
    lines(listRootfs(rootfs)).filter(isMade).map(plain),
  );
});

function nodes(rootfs: Rootfs) {
  const all: Record<string, import('../../src/rootfs/node.js').Node> = { '': rootfs.root };
  const queue = [rootfs.root];
  for (let next = queue.pop(); next; next = queue.pop()) {
    for (const [name, node] of next.children) {
      all[`${Object.keys(all).length}${name}`] = node;
      if (node.kind === 'directory') queue.push(node);
    }
  }
  return all;
}

test('several threads write what one does, and tell how far they are', { skip: root }, async (t) => {
  const dir = scratch(t);
  const rootfs = manyFiles(t, dir, 4000);
  const events: RunEvent[] = [];
  const context = quiet({ report: (event) => events.push(event) });
  for (const cores of [1, 2, 4]) {
    const output = join(dir, `rootfs${cores}`);
    await writeDirectory(output, STRICT, whole(rootfs), context, { ...FULL, cores });
    same(output, rootfs);
  }
  assert.ok(events.length > 3);
  for (const event of events) assert.ok(event.type === 'progress' && event.done <= event.total!);
  assert.deepEqual(events.at(-1), {
    type: 'progress',
    phase: 'write',
    done: rootfs.bytes,
    total: rootfs.bytes,
  });
});

test('content may lie in files of the host, of any name', { skip: root }, async (t) => {
  const dir = scratch(t);
  const specimen = new Specimen(t, dir);
  for (let i = 0; i < 3; i++) {
    const host = Buffer.from(join(dir, `\xff\n${i}`), 'latin1');
    writeFileSync(host, `skip${i}`);
    const content = { layer: { order: i, file: host.toString('latin1') }, offset: 4, size: 1 };
    specimen.add(`f${i}`, { kind: 'file', meta: meta({}), nlink: 0, content });
  }
  const rootfs = specimen.rootfs();
  await writeDirectory(join(dir, 'rootfs'), STRICT, whole(rootfs), quiet(), FULL);
  same(join(dir, 'rootfs'), rootfs);
});

test('times that the file system cannot hold are a loss', { skip: root }, async (t) => {
  const dir = scratch(t);
  const small = join(dir, 'small');
  execFileSync('mkdir', [small]);
  execFileSync('truncate', ['-s', '4M', join(dir, 'image')]);
  execFileSync('mkfs.ext4', ['-q', '-I', '128', join(dir, 'image')], { stdio: 'ignore' });
  const specimen = new Specimen(t, dir);
  specimen.add('future', specimen.file(Buffer.alloc(1), { mtime: 2n ** 33n * 1_000_000_000n }));
  specimen.add('fine', specimen.file(Buffer.alloc(1), { mtime: 5_000_000_000n }));
  specimen.add('nanos', specimen.file(Buffer.alloc(1), { mtime: 5_000_000_001n }));
  execFileSync('mount', ['-o', 'loop', join(dir, 'image'), small]);
  try {
    const { losses } = await writeDirectory(join(small, 'out'), LAX, whole(specimen.rootfs()), quiet(), FULL);
    assert.deepEqual(
      losses.map(({ kind, count, example }) => [kind, count, example]),
      [['mtime', 2, 'future']],
    );
  } finally {
    execFileSync('umount', [small]);
  }
});

test('names that Linux cannot hold are refused before anything is written', async (t) => {
  const dir = scratch(t);
  const deep = Array.from({ length: 20 }, () => 'd'.repeat(250)).join('/');
  const cases: readonly [string, RegExp][] = [
    ['n'.repeat(256), /a name of 256 bytes/],
    [deep, /^d{250}\/.*a path of \d+ bytes with the output's own/],
    ['a/..', /a\/\.\.: is no name/],
    ['.', /is no name/],
    ['nul\0', /nul\\x00: is no name/],
  ];
  for (const [path, message] of cases) {
    const specimen = new Specimen(t, scratch(t));
    specimen.add(path, specimen.file(Buffer.alloc(1)));
    const written = writeDirectory(join(dir, 'out'), LAX, whole(specimen.rootfs()), quiet(), FULL);
    await assert.rejects(written, fails('UNSUPPORTED', message));
  }
  const slash = new Specimen(t, scratch(t));
  slash.root.children.set('a/../../b', slash.file(Buffer.alloc(1)));
  slash.root.children.set('link', symlink(''));
  await assert.rejects(
    writeDirectory(join(dir, 'out'), LAX, whole(slash.rootfs()), quiet(), FULL),
    fails('UNSUPPORTED', /is no name/),
  );
  assert.deepEqual(readdirSync(dir), []);
});

test(
  'a layer that became shorter: the error names the file, from whichever thread',
  {
    skip: root,
  },
  async (t) => {
    for (const cores of [1, 4]) {
      const dir = scratch(t);
      const rootfs = manyFiles(t, dir, 3000);
      truncateSync(join(dir, 'layer'), 5_000_000);
      await assert.rejects(
        writeDirectory(join(dir, 'out'), LAX, whole(rootfs), quiet(), { ...FULL, cores }),
        fails('IO', /^(d\d+\/e\d+\/f\d+|large\d+): .*the layer file became shorter/),
      );
      assert.deepEqual(readdirSync(dir), ['layer']);
    }
  },
);
