import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Context, DEFAULT_LIMITS } from '../../src/context.js';
import { readExt } from '../../src/ext/read.js';
import type { ExtFormat } from '../../src/ext/structures/features.js';
import { ContentReader } from '../../src/layer/content.js';
import type { Rootfs } from '../../src/rootfs/node.js';
import { type ExtSinkOptions, extSink } from '../../src/sinks/ext.js';
import type { Artifact, SinkOptions } from '../../src/sinks/sink.js';
import { listDirectory } from '../support/list-directory.js';
import { listRootfs } from '../support/list-rootfs.js';
import type { Row } from '../support/listing.js';

export const FORMATS: readonly ExtFormat[] = ['ext2', 'ext3', 'ext4'];

/** What a run of a sink needs, with nothing in it that a test has not asked for. */
export function context(about: Partial<Context> = {}): Context {
  const signal = new AbortController().signal;
  return { signal, tmp: '/nonexistent', limits: DEFAULT_LIMITS, digests: true, report: () => {}, ...about };
}

/** Writes a tree as an image. */
export function writeExt(
  rootfs: Rootfs,
  output: string,
  options: Partial<SinkOptions & ExtSinkOptions> & { readonly format: ExtFormat },
): Promise<Artifact> {
  const sink = extSink(output, { force: false, strict: false, ...options });
  return sink.write({ rootfs, verified: Promise.resolve() }, context());
}

/** Runs a program of e2fsprogs; returns what it printed. */
export function tool(name: string, ...args: string[]): string {
  const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    encoding: 'latin1',
    env: { PATH },
    maxBuffer: 2 ** 28,
  });
  if (error !== undefined) throw error;
  assert.equal(status, 0, `${name} ${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
}

/** e2fsck must find nothing. */
export function assertSound(image: string): void {
  tool('e2fsck', '-fn', image);
}

/** An image's names as our own reader sees them, without a `lost+found` that the tree did not have. */
export function listByReader(image: string): Row[] {
  const fd = openSync(image, 'r');
  try {
    return withoutLostAndFound(listRootfs(readExt(fd)));
  } finally {
    closeSync(fd);
  }
}

/** An image's names as the kernel shows them: mounted read-only, by root. */
export function listByMount(image: string, format: ExtFormat): Row[] {
  return whileMounted(image, format, (directory) => withoutLostAndFound(listDirectory(directory)));
}

/** Needs root and `mount`. */
export function whileMounted<T>(image: string, format: ExtFormat, look: (directory: string) => T): T {
  const directory = `${image}.mounted`;
  mkdirSync(directory);
  tool('mount', '-t', format, '-o', 'loop,ro,noatime', image, directory);
  try {
    return look(directory);
  } finally {
    tool('umount', directory);
    rmdirSync(directory);
  }
}

/** An image's tree as our own reader sees it; content can be read no more. */
export function treeOf(image: string): Rootfs {
  const fd = openSync(image, 'r');
  try {
    return readExt(fd);
  } finally {
    closeSync(fd);
  }
}

/** Reads bytes of a file in the image's root through our own reader. */
export function reading(image: string): (name: string, start: number, length: number) => Buffer {
  return (name, start, length) => {
    const fd = openSync(image, 'r');
    try {
      const node = readExt(fd).root.children.get(name);
      assert.ok(node?.kind === 'file');
      const bytes = Buffer.alloc(length);
      new ContentReader().read(node.content, start, bytes);
      return bytes;
    } finally {
      closeSync(fd);
    }
  };
}

/** Made by us: empty, for root only, as old as the file system. */
function withoutLostAndFound(rows: readonly Row[]): Row[] {
  const made = (row: Row) => row.path === 'lost+found' && row.mode === 0o700 && row.mtime === 1_000_000_000n;
  return rows.filter((row) => !made(row));
}

/** Where a test's image goes. */
export function imageIn(directory: string, format: ExtFormat): string {
  return join(directory, `disk.${format}`);
}
