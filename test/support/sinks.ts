import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '../../src/context.js';
import { flatten } from '../../src/flatten.js';
import type { Layer } from '../../src/layer/layer.js';
import { loadTree } from '../../src/load-tree.js';
import type { FlattenOptions } from '../../src/options.js';
import { openOne } from '../../src/sources/open.js';
import { parseInput } from '../../src/sources/transport.js';
import { listByMount } from '../erofs/images.js';
import { listDirectory } from './list-directory.js';
import { listRootfs } from './list-rootfs.js';
import { listNextTar } from './list-tar.js';
import type { Row } from './listing.js';

/** A way to write an image's tree, and to read back by other means what was written. */
export interface TestSink {
  readonly name: string;
  /** What this machine must have. */
  readonly needs: readonly string[];
  /** Cases that the tool which reads the output back gets wrong, and how. */
  readonly beyond?: Readonly<Record<string, string>>;
  /** What the output can hold of a name. Default: all. */
  readonly holds?: (row: Row) => Row;
  /** What counts of a name that was read back. Default: all. */
  readonly shows?: (row: Row) => Row;
  /** Flattens `input` into an output in the empty `directory`, and lists it. */
  list(
    input: string,
    directory: string,
    options?: Omit<FlattenOptions, 'input' | 'output'>,
  ): Promise<readonly Row[]>;
}

/** The engine alone, nothing written. */
export const MEMORY: TestSink = { name: 'the tree in memory', needs: [], list: listInMemory };
export const DIRECTORY = through('directory', 'rootfs/', listDirectory, ['root', 'getfattr']);
export const FLAT_TAR = through('flat tar', 'rootfs.tar', listNextTar, ['python3']);

/** By bsdtar. GNU cpio does not set the times of directories. */
export const CPIO: TestSink = {
  ...through('cpio', 'rootfs.cpio', listCpio, ['root', 'bsdtar', 'getfattr']),
  holds: (row) => ({ ...row, mtime: BigInt(wholeSeconds(row.mtime)) * 1_000_000_000n, xattrs: new Map() }),
};

/** As the kernel shows it. */
export const EROFS = through('erofs, mounted', 'disk.erofs', listByMount, ['root', 'mount', 'getfattr']);

/** As the kernel shows it. The root's owner, time and xattrs are not the tree's: sqfstar has no way to say them. */
export const SQUASHFS: TestSink = {
  ...through('squashfs, mounted', 'disk.squashfs', (path) => listByMount(path, 'squashfs'), [
    'root',
    'sqfstar',
    'mount',
    'getfattr',
  ]),
  holds: (row) => {
    const mtime = BigInt(wholeSeconds(row.mtime)) * 1_000_000_000n;
    const xattrs = new Map([...row.xattrs].filter(([name]) => !name.startsWith('system.')));
    return row.path === '.'
      ? { ...row, uid: 0, gid: 0, mtime: 0n, xattrs: new Map() }
      : { ...row, mtime, xattrs };
  },
  shows: (row) => (row.path === '.' ? { ...row, mtime: 0n } : row),
};

export const DOCKER_ARCHIVE = throughImage('docker-archive');
export const OCI_ARCHIVE = throughImage('oci-archive');
/** Judged by what umoci unpacks. */
export const OCI_BY_UMOCI = throughUmoci();
/** The upper half of the layers squashed, the lower kept. */
export const KEPT_BASE = throughKeptBase();

function through(
  name: string,
  output: string,
  read: (path: string) => readonly Row[] | Promise<readonly Row[]>,
  needed: readonly string[],
): TestSink {
  return {
    name,
    needs: needed,
    async list(input, directory, options) {
      const path = join(directory, output);
      await flatten({ ...options, input, output: path });
      return read(path);
    },
  };
}

async function listInMemory(
  input: string,
  _: string,
  options: Omit<FlattenOptions, 'input' | 'output'> = {},
): Promise<readonly Row[]> {
  const { keepDirlinks = false, reference, onEvent = () => {}, digests = true } = options;
  const signal = new AbortController().signal;
  const context = { signal, tmp: tmpdir(), limits: DEFAULT_LIMITS, digests, report: onEvent };
  const opened = await openOne(
    parseInput(input),
    reference === undefined ? {} : { image: reference },
    context,
  );
  try {
    const tree = await loadTree(opened.layers, { keepDirlinks }, context);
    try {
      await tree.verified;
      return listRootfs(tree.rootfs);
    } finally {
      tree.close();
    }
  } finally {
    await opened.close();
  }
}

export function listCpio(path: string): readonly Row[] {
  const directory = `${path}.d`;
  mkdirSync(directory);
  try {
    execFileSync('bsdtar', ['-xpf', path, '-C', directory], { stdio: 'pipe' });
    // It sets no time of `.`, so what it reads of that is asked for in words.
    const mtree = execFileSync('bsdtar', ['-cf', '-', '--format=mtree', `@${path}`], { encoding: 'latin1' });
    const [, seconds] = /^\. time=(-?\d+)\.0 /m.exec(mtree) ?? [];
    assert.ok(seconds !== undefined, mtree);
    const mtime = BigInt(seconds) * 1_000_000_000n;
    return listDirectory(directory).map((row) => (row.path === '.' ? { ...row, mtime } : row));
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** From 1970 to 2106. */
function wholeSeconds(mtime: bigint): number {
  const seconds = Math.floor(Number(mtime / 1_000_000n) / 1000);
  return Math.max(0, Math.min(0xffff_ffff, seconds));
}

/** An image that we read again ourselves. */
function throughImage(format: 'docker-archive' | 'oci-archive'): TestSink {
  return {
    name: `${format}, read again`,
    needs: [],
    async list(input, directory, options = {}) {
      const output = `${format}:${join(directory, 'image.tar')}`;
      const { artifact } = await flatten({ ...options, input, output });
      assert.deepEqual(artifact.losses, []);
      return MEMORY.list(output, directory);
    },
  };
}

function throughUmoci(): TestSink {
  return {
    name: 'oci, unpacked by umoci',
    needs: ['root', 'umoci', 'getfattr'],
    beyond: {
      '07-dialects/gnu-base-256': 'its time, after the year 2262, overflows in umoci',
      '07-dialects/pax-empty': "an xattr without a value is none to Go's archive/tar",
      '10-marker-names/last-component': 'directories without an entry get the time of the unpacking',
      '10-marker-names/last-component-deeper': 'directories without an entry get the time of the unpacking',
    },
    async list(input, directory, options = {}) {
      const layout = join(directory, 'layout');
      const bundle = join(directory, 'bundle');
      await flatten({ ...options, input, output: `oci:${layout}:it` });
      execFileSync('umoci', ['unpack', '--image', `${layout}:it`, bundle], { stdio: 'pipe' });
      try {
        return listDirectory(join(bundle, 'rootfs'));
      } finally {
        rmSync(bundle, { recursive: true });
      }
    },
  };
}

function throughKeptBase(): TestSink {
  return {
    name: 'docker-archive on a kept base, read again',
    needs: [],
    async list(input, directory, options = {}) {
      const { keepDirlinks = false, reference } = options;
      const output = `docker-archive:${join(directory, 'image.tar')}`;
      const { length } = await layersOf(input, reference);
      const last = keepDirlinks ? length : Math.ceil(length / 2);
      await flatten({ ...options, input, output, image: last === 0 ? {} : { last } });
      assert.equal((await layersOf(output)).length, length - last + 1);
      return MEMORY.list(output, directory);
    },
  };
}

async function layersOf(input: string, reference?: string): Promise<readonly Layer[]> {
  const signal = new AbortController().signal;
  const context = { signal, tmp: tmpdir(), limits: DEFAULT_LIMITS, digests: false, report: () => {} };
  const opened = await openOne(
    parseInput(input),
    reference === undefined ? {} : { image: reference },
    context,
  );
  await opened.close();
  return opened.layers;
}
