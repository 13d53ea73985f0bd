/** Every case as `flatten ls` lists it: as JSON, and as a specification for mtree that bsdtar reads. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openImage } from '../../src/image.js';
import { entryJson } from '../../src/inspect/entry-json.js';
import type { History } from '../../src/inspect/history.js';
import { list } from '../../src/inspect/list.js';
import { mtreeLines } from '../../src/inspect/mtree.js';
import { bytesOf } from '../../src/rootfs/path-text.js';
import { walk } from '../../src/rootfs/walk.js';
import { listNextTar } from '../support/list-tar.js';
import type { Row } from '../support/listing.js';
import { casesThrough } from '../support/run-cases.js';
import type { TestSink } from '../support/sinks.js';

type Options = Parameters<TestSink['list']>[2];

async function withHistory<T>(input: string, options: Options, use: (history: History) => T): Promise<T> {
  const { keepDirlinks = false, onEvent } = options ?? {};
  await using image = await openImage(input, { ...(onEvent && { onEvent }) });
  await using history = await image.history({ keepDirlinks });
  return use(history);
}

const KINDS = { file: 'f', directory: 'd', symlink: 'l', char: 'c', block: 'b', fifo: 'p' } as const;

/** A row out of what `--json` prints. */
function rowOf(line: string): Row {
  const {
    path,
    type,
    mode,
    uid,
    gid,
    mtime,
    size,
    target,
    major,
    minor,
    xattrs = {},
  } = JSON.parse(line) as ReturnType<typeof entryJson>;
  return {
    path: bytesOf(path),
    kind: KINDS[type],
    mode: Number.parseInt(mode, 8),
    uid,
    gid,
    mtime: nanoseconds(mtime),
    xattrs: new Map(
      Object.entries(xattrs).map(([name, value]) => [bytesOf(name), Buffer.from(value, 'base64')]),
    ),
    ...(size !== undefined && { size }),
    ...(target !== undefined && { target: bytesOf(target) }),
    ...(major !== undefined && { device: `${major}:${minor}` }),
  };
}

function nanoseconds(date: string): bigint {
  const [, whole = '', fraction = ''] = /^(.*?)(?:\.(\d+))?Z?$/.exec(date)!;
  const seconds = whole.startsWith('@') ? BigInt(whole.slice(1)) : BigInt(Date.parse(`${whole}Z`) / 1000);
  return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Headers alone have no digests, and say how many names an inode has, not which. */
function withoutContent({ sha256: _, group: __, ...row }: Row): Row {
  return row;
}

casesThrough({
  name: 'ls -R --json',
  needs: [],
  holds: withoutContent,
  list: (input, _, options) =>
    withHistory(input, options, (history) => {
      const listed = [...list(history, { recursive: true })];
      const root = [...walk(history.tree.rootfs.root)][0]!;
      return [root, ...listed].map(({ path, node }) => rowOf(JSON.stringify(entryJson(path, node))));
    }),
});

casesThrough({
  name: 'ls --mtree, by bsdtar',
  needs: ['bsdtar', 'python3'],
  // libarchive takes -0.5 seconds for 0.5.
  holds: (row) => ({
    ...withoutContent(row),
    xattrs: new Map(),
    mtime: row.mtime < 0n && row.mtime > -1_000_000_000n ? -row.mtime : row.mtime,
  }),
  shows: withoutContent,
  async list(input, directory, options) {
    const [file, tar] = ['it.mtree', 'it.tar'].map((name) => join(directory, '..', name)) as [string, string];
    await withHistory(input, options, (history) =>
      writeFileSync(file, `${[...mtreeLines(history.tree.rootfs.root)].join('\n')}\n`, 'latin1'),
    );
    const env = { ...process.env, LC_ALL: 'C.UTF-8' };
    execFileSync('bsdtar', ['-cf', tar, '--format=pax', `@${file}`], {
      env,
      cwd: directory,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    return listNextTar(tar);
  },
});
