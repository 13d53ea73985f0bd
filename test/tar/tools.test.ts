import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { listDirectory } from '../support/list-directory.js';
import { lines, type Row } from '../support/listing.js';
import { needs } from '../support/needs.js';
import { contentOf, rowsOf, scanBytes } from '../support/scan-bytes.js';
import { scratch } from '../support/scratch.js';

/** What a way to write archives can say. */
interface Way {
  readonly name: string;
  /** Writes the directory it runs in to standard output. */
  readonly command: readonly string[];
  /** Shell commands that make the tree. */
  readonly tree: readonly string[];
  readonly nanoseconds?: boolean;
  readonly xattrs?: boolean;
}

/** What even v7 can say. */
const PLAIN = [
  'mkdir -p dir/sub; echo one > dir/one; printf %700s x > dir/sub/two; : > empty; chmod 4751 dir/one; chmod 0 empty',
  'ln dir/one dir/again; ln -s ../over/there dir/link; chmod 3755 dir/sub; chown 7:8 dir/one; chown -h 9:10 dir/link',
  'touch -hd @1400000000 dir/link; touch -d @0 empty; touch -d @5000000000 dir/sub/two; chown 262143:262143 empty',
];
const NODES = ['mkfifo pipe; mknod char c 5 1; mknod block b 259 70000'];
/** A second name of a symlink, which Python stores as another symlink. */
const LINKED = ['ln dir/link linked'];
const DEEP = ['p=$(printf %060d 0)/$(printf %090d 1); mkdir -p $p; echo deep > $p/$(printf %095d 2)'];
/** What only GNU and PAX can say. */
const LONG = [
  'p=$(printf %0200d 0)/$(printf %0250d 1); mkdir -p $p; echo long > $p/file; ln $p/file long; ln -s $p/$p/$p far',
  `printf x > "$(printf 'odd \\377\\n\\\\ \\303\\251')"; chown 3000000:4294967294 empty`,
];
const EARLY = ['touch -d @-86400 dir/sub/two'];
const EXACT = [
  'touch -d @1400000000.123456789 dir/one; touch -hd @9999999999.000000001 far',
  'setfattr -n user.bytes -v 0x00ff0a3d25 dir/one; setfattr -n user.empty dir/sub; setfattr -n user.a.b -v text dir/sub',
  'setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 dir/one; touch -d @7.25 dir/sub dir',
];

const PYTHON = (format: string) => [
  'python3',
  '-c',
  `import tarfile, sys
with tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.${format}, errors='surrogateescape') as t: t.add('.')`,
];
const GNU = (format: string, ...more: string[]) => [
  'tar',
  '-c',
  '--numeric-owner',
  `--format=${format}`,
  ...more,
  '.',
];
const BSD = (format: string) => ['bsdtar', '-c', '--numeric-owner', `--format=${format}`, '-f', '-', '.'];

const python = [...PLAIN, ...NODES, ...DEEP, ...LONG];
const everything = [...python, ...LINKED];
const WAYS: readonly Way[] = [
  { name: 'GNU tar, v7', command: GNU('v7'), tree: PLAIN },
  { name: 'GNU tar, oldgnu', command: GNU('oldgnu'), tree: [...everything, ...EARLY] },
  { name: 'GNU tar, gnu', command: GNU('gnu'), tree: [...everything, ...EARLY] },
  { name: 'GNU tar, ustar', command: GNU('ustar'), tree: [...PLAIN, ...NODES, ...DEEP, ...LINKED] },
  {
    name: 'GNU tar, posix',
    command: GNU('posix', '--xattrs', '--xattrs-include=*'),
    tree: [...everything, ...EXACT, 'touch -d @-1.5 empty'],
    nanoseconds: true,
    xattrs: true,
  },
  { name: 'bsdtar, v7', command: BSD('v7'), tree: PLAIN },
  { name: 'bsdtar, ustar', command: BSD('ustar'), tree: [...PLAIN, ...DEEP] },
  { name: 'bsdtar, gnutar', command: BSD('gnutar'), tree: everything },
  {
    name: 'bsdtar, pax',
    command: BSD('pax'),
    tree: [...everything, ...EXACT, ...EARLY],
    nanoseconds: true,
    xattrs: true,
  },
  { name: 'Python, ustar', command: PYTHON('USTAR_FORMAT'), tree: [...PLAIN, ...NODES, ...DEEP] },
  { name: 'Python, gnu', command: PYTHON('GNU_FORMAT'), tree: [...python, ...EARLY] },
  { name: 'Python, pax', command: PYTHON('PAX_FORMAT'), tree: python },
];

function shell(commands: readonly string[], cwd: string): void {
  const env = { PATH: process.env.PATH, LC_ALL: 'C' };
  const { status, stderr } = spawnSync('/bin/sh', ['-ec', commands.join('\n')], {
    cwd,
    env,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
}

function output([program, ...args]: readonly string[], cwd: string): Buffer {
  const env = { PATH: process.env.PATH, HOME: '/root', LC_ALL: 'C', PYTHONUTF8: '1' };
  const { status, stdout, stderr } = spawnSync(program!, args, { cwd, env, maxBuffer: 1 << 30 });
  assert.equal(status, 0, stderr.toString());
  return stdout;
}

function only(rows: readonly Row[], { nanoseconds = false, xattrs = false }: Way): string[] {
  return lines(
    rows.map((row) => ({
      ...row,
      mtime: nanoseconds ? row.mtime : row.mtime - (((row.mtime % 10n ** 9n) + 10n ** 9n) % 10n ** 9n),
      xattrs: xattrs ? row.xattrs : new Map(),
    })),
  );
}

suite('every field of every member, as other programs write them', () => {
  for (const way of WAYS) {
    const skip = needs('root', 'setfattr', 'getfattr', way.command[0]!);
    test(way.name, { skip }, (t) => {
      const root = scratch(t);
      shell(way.tree, root);
      assert.deepEqual(only(rowsOf(output(way.command, root)), way), only(listDirectory(root), way));
    });
  }
});

suite('sparse files, as other programs write them', () => {
  const HOLES = [
    'truncate -s 3M hole; : > empty; truncate -s 700 tail; printf x > tiny',
    'truncate -s 1M both; for at in 0 255; do printf data | dd of=both bs=4k seek=$at conv=notrunc status=none; done',
    'truncate -s 9M many; for at in $(seq 1 90); do printf $at | dd of=many bs=100k seek=$((at - 1)) conv=notrunc status=none; done',
  ];
  const SPARSE: Readonly<Record<string, readonly string[]>> = {
    'GNU tar, gnu': GNU('gnu', '--sparse'),
    'GNU tar, oldgnu': GNU('oldgnu', '--sparse'),
    'GNU tar, posix 0.0': GNU('posix', '--sparse', '--sparse-version=0.0'),
    'GNU tar, posix 0.1': GNU('posix', '--sparse', '--sparse-version=0.1'),
    'GNU tar, posix 1.0': GNU('posix', '--sparse', '--sparse-version=1.0'),
    'bsdtar, pax': BSD('pax'),
    'bsdtar, gnutar': BSD('gnutar'),
  };
  for (const [name, command] of Object.entries(SPARSE)) {
    test(name, { skip: needs('root', 'getfattr', command[0]!) }, (t) => {
      const root = scratch(t);
      shell(HOLES, root);
      const tar = output(command, root);
      const way = { name, command, tree: HOLES };
      assert.deepEqual(only(rowsOf(tar), way), only(listDirectory(root), way));
      if (name === 'bsdtar, gnutar') return;
      const hole = scanBytes(tar).find(({ path }) => path === './hole')!;
      assert.deepEqual(hole.segments, [], 'a hole stores nothing');
      assert.ok(tar.length < 5 << 20, 'holes are not stored');
    });
  }
});

test('archives put together with tar -A and tar -r', { skip: needs('root') }, (t) => {
  const root = scratch(t);
  mkdirSync(join(root, 'a'));
  writeFileSync(join(root, 'a', 'one'), 'one');
  symlinkSync('one', join(root, 'a', 'two'));
  shell(
    ['tar -cf x.tar a/one; tar -cf y.tar a/two; tar -Af x.tar y.tar; tar -rf x.tar --format=posix a'],
    root,
  );
  const tar = output(['cat', 'x.tar'], root);
  const found = scanBytes(tar);
  assert.deepEqual(
    found.map(({ path, type }) => `${type} ${path}`),
    ['file a/one', 'symlink a/two', 'directory a/', 'file a/one', 'symlink a/two'],
  );
  assert.equal(contentOf(tar, found[0]!).toString(), 'one');
});
