import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flatten } from '../../src/flatten.js';
import { disk, openImage } from '../../src/index.js';
import { directory, type Metadata, type Node } from '../../src/rootfs/node.js';
import { finish } from '../../src/rootfs/walk.js';
import { squashfsSink } from '../../src/sinks/squashfs.js';
import { needs } from '../support/needs.js';
import { PROJECT } from '../support/project.js';
import { scratch } from '../support/scratch.js';
import { quiet } from './tar-context.js';
import { meta } from './tar-specimen.js';

const DEMO = join(PROJECT, 'test/images/demo.tar');
const OPTIONS = { force: false, strict: false };
const skip = needs('sqfstar');
const SECOND = 1_000_000_000n;

function tree(nodes: Record<string, Node>, root: Partial<Metadata> = {}) {
  const top = directory(meta({ uid: process.geteuid!(), gid: process.getegid!(), ...root }));
  for (const [name, node] of Object.entries(nodes)) top.children.set(name, node);
  return { rootfs: finish(top), verified: Promise.resolve() };
}

const fifo = (over: Partial<Metadata> = {}): Node => ({ kind: 'fifo', meta: meta(over), nlink: 1 });

test('the same image is the same file', { skip }, async (t) => {
  const cwd = scratch(t);
  for (const name of ['a.squashfs', 'b.sqfs']) await flatten({ input: DEMO, output: join(cwd, name) });
  const [one, other] = ['a.squashfs', 'b.sqfs'].map((name) => readFileSync(join(cwd, name)));
  assert.ok(one!.equals(other!));
  assert.equal(one!.toString('latin1', 0, 4), 'hsqs');
  await using image = await openImage(DEMO);
  await using opened = await image.tree();
  await opened.writeTo(disk(join(cwd, 'c.squashfs')));
  assert.ok(readFileSync(join(cwd, 'c.squashfs')).equals(one!));
});

test('what it cannot hold is counted by kind', { skip }, async (t) => {
  const output = join(scratch(t), 'a.squashfs');
  const acl = new Map([['system.posix_acl_access', Buffer.from('02000000', 'hex')]]);
  const nodes = {
    acl: fifo({ xattrs: acl }),
    early: fifo({ mtime: -1n }),
    exact: fifo({ mtime: 9n * SECOND }),
    late: fifo({ mtime: 2n ** 32n * SECOND }),
    odd: fifo({ xattrs: new Map([['btrfs.compression', Buffer.from('zstd')]]) }),
    split: fifo({ mtime: 5n * SECOND + 1n }),
  };
  const root = { mtime: (2n ** 32n - 1n) * SECOND };
  const { losses } = await squashfsSink(output, OPTIONS).write(tree(nodes, root), quiet());
  assert.deepEqual(
    losses.map(({ kind, count, example }) => [kind, count, example]),
    [
      ['ACL', 1, 'acl'],
      ['mtime', 4, '.'], // the newest file is of the future, and the root gets the time of the run
      ['xattr', 1, 'odd'],
    ],
  );
  const strict = squashfsSink(`${output}2`, { ...OPTIONS, strict: true }).write(tree(nodes, root), quiet());
  await assert.rejects(strict, { code: 'LOSS', path: 'acl' });
  assert.ok(!existsSync(`${output}2`));
});

test(
  'of the root directory sqfstar keeps the mode alone: what else differs is a loss',
  { skip },
  async (t) => {
    const output = join(scratch(t), 'a.squashfs');
    const root = { uid: 1, mtime: 5n * SECOND, xattrs: new Map([['user.a', Buffer.from('b')]]) };
    const { losses } = await squashfsSink(output, OPTIONS).write(
      tree({ new: fifo({ mtime: 9n * SECOND }) }, root),
      quiet(),
    );
    assert.deepEqual(
      losses.map(({ kind, example }) => [kind, example]),
      [
        ['mtime', '.'],
        ['owner', '.'],
        ['xattr', '.'],
      ],
    );
  },
);

test('what it cannot hold at all is an error before anything is written', { skip }, async (t) => {
  const place = scratch(t);
  const write = (nodes: Record<string, Node>) =>
    squashfsSink(join(place, 'a.squashfs'), OPTIONS).write(tree(nodes), quiet());
  await assert.rejects(write({ ['x'.repeat(257)]: fifo() }), { code: 'UNSUPPORTED', message: /257 bytes/ });
  const long: Node = { kind: 'symlink', target: 'x'.repeat(65_536), meta: meta({}), nlink: 1 };
  await assert.rejects(write({ long }), { code: 'UNSUPPORTED', path: 'long' });
  const many = Object.fromEntries(
    Array.from({ length: 65_537 }, (_, id) => [`${id}`, fifo({ uid: id, gid: id })]),
  );
  await assert.rejects(write(many), { code: 'UNSUPPORTED', message: /65536 users and groups/ });
  assert.deepEqual(readdirSync(place), []);
});

test('an abort ends sqfstar and leaves nothing', { skip }, async (t) => {
  const place = scratch(t);
  const stop = new AbortController();
  const { report, ...context } = quiet();
  const aborting = {
    ...context,
    signal: stop.signal,
    report: (event: Parameters<typeof report>[0]) => {
      if (event.type === 'progress' && event.phase === 'write') stop.abort();
    },
  };
  const writing = squashfsSink(join(place, 'a.squashfs'), OPTIONS).write(tree({ a: fifo() }), aborting);
  await assert.rejects(writing, { code: 'INTERRUPTED' });
  assert.deepEqual(readdirSync(place), []);
});

test('without sqfstar: what to install, before the image is opened', async (t) => {
  const output = join(scratch(t), 'a.squashfs');
  const { PATH } = process.env;
  process.env.PATH = '/nonexistent';
  t.after(() => {
    process.env.PATH = PATH;
  });
  const hint = /apt install squashfs-tools/;
  await assert.rejects(flatten({ input: 'missing.tar', output }), {
    code: 'TOOL',
    message: 'sqfstar: is not installed',
    hint,
  });
});

test('it is not read back: the option is refused before the image is opened', async (t) => {
  const output = join(scratch(t), 'a.squashfs');
  await assert.rejects(flatten({ input: 'missing.tar', output, verify: true }), {
    code: 'USAGE',
    message: '{verify}: squashfs is not read back',
  });
});
