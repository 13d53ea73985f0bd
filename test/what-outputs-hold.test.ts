/** The table of the guide that says what each output holds: a tree with each trait goes through each output. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { FlattenError } from '../src/errors.js';
import type { Rootfs } from '../src/rootfs/node.js';
import { openSink } from '../src/sinks/open.js';
import { parseOutput } from '../src/sinks/output.js';
import { listByMount, whileMounted } from './erofs/images.js';
import { quiet } from './sinks/tar-context.js';
import { device, fifo, Specimen, symlink } from './sinks/tar-specimen.js';
import { documentText } from './support/document.js';
import { listDirectory } from './support/list-directory.js';
import { listRootfs } from './support/list-rootfs.js';
import { listNextTar } from './support/list-tar.js';
import { lines, type Row } from './support/listing.js';
import { needs } from './support/needs.js';
import { scratch } from './support/scratch.js';
import { listCpio, MEMORY } from './support/sinks.js';

const SECOND = 1_000_000_000n;
const HOLE = 32 * 2 ** 20;
const GIB = 2 ** 30;

/** Of the year 2000, and of the others at the same day. */
const YEARS = { 1960: -315_619_200n, 2050: 2_524_608_000n, 2200: 7_258_118_400n } as const;

const timed = (name: string, mtime: bigint) => (it: Specimen) =>
  void it.add(name, it.file(Buffer.from(name), { mtime }));
const attributed = (name: string, xattrs: Record<string, string>) => (it: Specimen) => {
  const values = Object.entries(xattrs).map(([key, hex]) => [key, Buffer.from(hex, 'hex')] as const);
  it.add(name, it.file(Buffer.from(name), { mode: 0o664, xattrs: new Map(values) }));
};
/** Version 2: the owner, a user 1000 who may read, the group, the mask, all others. */
const ACL =
  '02000000010006 00ffffffff02000400e803000004000600ffffffff10000600ffffffff20000400ffffffff'.replace(
    ' ',
    '',
  );

/** By the words of the table: puts the trait into a tree. */
const TRAITS: Readonly<Record<string, (it: Specimen) => void>> = {
  'times in nanoseconds': timed('nanoseconds', 1_600_000_000n * SECOND + 123_456_789n),
  'times before 1970': timed('1960', YEARS[1960] * SECOND),
  'times after 2038': timed('2050', YEARS[2050] * SECOND),
  'times after 2106': timed('2200', YEARS[2200] * SECOND),
  'owners of 32 bits': (it) =>
    void it.add('owned', it.file(Buffer.from('x'), { uid: 3_000_000, gid: 4_294_967_294 })),
  'xattrs `user.`, `trusted.`, `security.`': attributed('xattrs', {
    'user.a': '00ff',
    'trusted.b': '01',
    'security.c': '02',
  }),
  'POSIX ACLs': attributed('acl', { 'system.posix_acl_access': ACL }),
  'file capabilities': attributed('capability', {
    'security.capability': '0100000200200000000000000000000000000000',
  }),
  'devices, fifos': (it) => {
    it.add('null', device('char', 1, 3));
    it.add('disk', device('block', 259, 1_048_575));
    it.add('fifo', fifo());
  },
  'hard links': (it) => {
    it.add('a/second', it.add('first', it.file(Buffer.from('linked'))));
    it.add('a/link', it.add('link', symlink('first')));
  },
  holes: (it) => {
    const end = { start: HOLE - 4096, length: 4096 };
    const segments = [{ start: 0, length: 4096 }, end];
    it.add('sparse', it.file(Buffer.alloc(8192, 'x'), {}, { size: HOLE, segments }));
  },
  'names that are no UTF-8': (it) => void it.add('\xff\xfe', it.file(Buffer.from('x'))),
  'names of 255 bytes': (it) => void it.add('n'.repeat(255), it.file(Buffer.from('x'))),
  'files over 4 GiB': (it) => {
    const segments = [{ start: 4 * GIB, length: 4 }];
    it.add('large', it.file(Buffer.from('tail'), {}, { size: 4 * GIB + 4, segments }));
  },
  'owner, time and xattrs of the root directory': ({ root }) => {
    root.meta = { ...root.meta, uid: 5, gid: 6, mtime: 1_500_000_000n * SECOND };
  },
};
const ROOT = 'owner, time and xattrs of the root directory';
/** No listing is made of it, since that would read it all. */
const LARGE = 'files over 4 GiB';

interface Column {
  readonly output: string;
  /** Lists what was written. */
  readonly list: (path: string) => readonly Row[] | Promise<readonly Row[]>;
  /** The size of `large`. */
  readonly sizeOfLarge?: (path: string) => number;
}

const sizeIn = (directory: string) => lstatSync(join(directory, 'large')).size;
const mounted = (type: string, output: string): Column => ({
  output,
  list: (path) => listByMount(path, type).filter((row) => row.path !== 'lost+found'),
  sizeOfLarge: (path) => whileMounted(path, sizeIn, type),
});

/** By the head of the table. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  'directory, as root': [{ output: 'rootfs/', list: listDirectory, sizeOfLarge: sizeIn }],
  'flat tar': [
    {
      output: 'rootfs.tar',
      list: listNextTar,
      sizeOfLarge: (path) => Number(/ (\d{10}) /.exec(String(execFileSync('tar', ['-tvf', path])))?.[1]),
    },
  ],
  'ext2, ext3, ext4': ['ext2', 'ext3', 'ext4'].map((type) => mounted(type, `disk.${type}`)),
  EROFS: [mounted('erofs', 'disk.erofs')],
  // All that goes through a pipe to sqfstar, or into a layer, goes there with its zeros: 4 GiB are too much for here.
  squashfs: [{ output: 'disk.squashfs', list: (path) => listByMount(path, 'squashfs') }],
  cpio: [{ output: 'rootfs.cpio', list: listCpio }],
  'image of one layer': [{ output: 'docker-archive:image.tar', list: (path) => MEMORY.list(path, '') }],
};

/** The cells of the table: by trait, then by column, whether it is held. */
function table(): Map<string, Map<string, boolean>> {
  const text = documentText('src/cli/README.md');
  const rows = [...text.slice(text.indexOf('### What each output holds')).matchAll(/^\|(.*)\|$/gm)].map(
    ([, row]) => row!.split('|').map((cell) => cell.trim()),
  );
  const end = rows.findIndex(([first], at) => at > 1 && first === '');
  const [head, , ...body] = rows.slice(0, end < 0 ? undefined : end);
  return new Map(
    body
      .filter(([trait]) => trait! in TRAITS)
      .map(([trait, ...cells]) => [trait!, new Map(cells.map((cell, at) => [head![at + 1]!, cell === '✓']))]),
  );
}

function treeWith(t: TestContext, traits: readonly string[]): Rootfs {
  const it = new Specimen(t, scratch(t), { mode: 0o755 });
  for (const trait of traits) TRAITS[trait]!(it);
  return it.rootfs();
}

/** Writes it; gives the path of what was written, and what was lost, by kind: of the root directory, or of all else. */
async function written(t: TestContext, rootfs: Rootfs, { output }: Column, isOfRoot = false) {
  const cwd = scratch(t);
  const path = output.replace(/([^:]*)$/, (name) => join(cwd, name));
  const sink = await openSink(parseOutput(path), { force: false, strict: false });
  const flattened = { rootfs, verified: Promise.resolve() };
  const { losses } = await sink.write(flattened, quiet({ tmp: cwd }));
  const meant = losses.filter(({ example, count }) => (example === '.' && count === 1) === isOfRoot);
  return { path, file: path.replace(/^[a-z-]+:/, ''), losses: meant.map(({ kind }) => kind) };
}

const skip = needs('root', 'mount', 'mke2fs', 'sqfstar', 'bsdtar', 'getfattr', 'python3');

test('the table has every trait and every output', () => {
  const cells = table();
  assert.deepEqual([...cells.keys()], Object.keys(TRAITS));
  for (const row of cells.values()) assert.deepEqual([...row.keys()], Object.keys(COLUMNS));
});

for (const [name, columns] of Object.entries(COLUMNS)) {
  for (const column of columns) {
    test(`${column.output}: what the table says it holds, it holds`, { skip }, async (t) => {
      const held = [...table()]
        .filter(([trait, row]) => row.get(name) && trait !== LARGE)
        .map(([trait]) => trait);
      const rootfs = treeWith(t, held);
      const { path, file, losses } = await written(t, rootfs, column);
      assert.deepEqual(losses, []);
      const shown = (rows: readonly Row[]) =>
        lines(rows.filter((row) => row.path !== '.' || held.includes(ROOT)));
      assert.deepEqual(shown(await column.list(path)), shown(listRootfs(rootfs)));
      if (!held.includes('holes')) return;
      const what = column.output.endsWith('/') ? join(file, 'sparse') : file;
      const bytes = column.output.endsWith('/') ? 512 * lstatSync(what).blocks : lstatSync(what).size;
      assert.ok(bytes < HOLE / 2, `${bytes} bytes`);
    });

    test(`${column.output}: what the table says it loses, it says`, { skip }, async (t) => {
      const lost = [...table()].filter(([, row]) => !row.get(name)).map(([trait]) => trait);
      for (const trait of lost) {
        const outcome = written(t, treeWith(t, [trait]), column, trait === ROOT);
        if (trait === LARGE)
          await assert.rejects(
            outcome,
            (error) => error instanceof FlattenError && error.code === 'UNSUPPORTED',
          );
        else if (trait === 'holes') assert.ok(lstatSync((await outcome).file).size >= HOLE);
        else assert.notDeepEqual((await outcome).losses, [], trait);
      }
    });

    if (column.sizeOfLarge && table().get(LARGE)?.get(name)) {
      test(`${column.output}: a file over 4 GiB`, { skip }, async (t) => {
        const { path, losses } = await written(t, treeWith(t, [LARGE]), column);
        assert.deepEqual(losses, []);
        assert.equal(column.sizeOfLarge!(path), 4 * GIB + 4);
      });
    }
  }
}
