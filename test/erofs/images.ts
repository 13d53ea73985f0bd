import assert from 'node:assert/strict';
import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { readErofs } from '../../src/erofs/erofs.js';
import type { Rootfs } from '../../src/rootfs/node.js';
import { type ErofsSinkOptions, erofsSink } from '../../src/sinks/erofs.js';
import type { Artifact, SinkOptions } from '../../src/sinks/sink.js';
import { context, tool } from '../ext/images.js';
import { listDirectory } from '../support/list-directory.js';
import { listRootfs } from '../support/list-rootfs.js';
import type { Row } from '../support/listing.js';

/** Where a test's image goes. */
export function imageIn(directory: string): string {
  return join(directory, 'disk.erofs');
}

/** Writes a tree as an image. */
export function writeErofs(
  rootfs: Rootfs,
  output: string,
  options: Partial<SinkOptions & ErofsSinkOptions> = {},
): Promise<Artifact> {
  const sink = erofsSink(output, { force: false, strict: false, ...options });
  return sink.write({ rootfs, verified: Promise.resolve() }, context());
}

/** fsck.erofs must find nothing: neither in the metadata nor, as it reads all content, in that. It exits with 0 even after some errors. */
export function assertSound(image: string): void {
  assert.equal(tool('fsck.erofs', '-d1', image), '');
  assert.equal(tool('fsck.erofs', '-d1', '--extract', image), '');
}

/** An image's names as the kernel shows them: mounted, by root. Directories' link counts are as a file system has them. */
export function listByMount(image: string, type = 'erofs'): Row[] {
  return whileMounted(image, (directory) => listDirectory(directory), type);
}

/** Needs root and `mount`. */
export function whileMounted<T>(image: string, look: (directory: string) => T, type = 'erofs'): T {
  const directory = `${image}.mounted`;
  mkdirSync(directory);
  tool('mount', '-t', type, '-o', 'loop,ro', image, directory);
  try {
    return look(directory);
  } finally {
    tool('umount', directory);
    rmdirSync(directory);
  }
}

/** A file's size, and bytes of it, as the kernel shows them. */
export function readMounted(
  image: string,
  name: string,
  start: number,
  length: number,
): { readonly size: number; readonly bytes: Buffer } {
  return whileMounted(image, (directory) => {
    const fd = openSync(join(directory, name), 'r');
    try {
      const bytes = Buffer.alloc(length);
      const read = readSync(fd, bytes, 0, length, start);
      return { size: fstatSync(fd).size, bytes: bytes.subarray(0, read) };
    } finally {
      closeSync(fd);
    }
  });
}

/** An image's tree as our own reader sees it; content can be read no more. */
export function treeOf(image: string): Rootfs {
  return whileOpen(image, (fd) => readErofs(fd));
}

/** An image's names as our own reader sees them. */
export function listByReader(image: string): Row[] {
  return whileOpen(image, (fd) => listRootfs(readErofs(fd)));
}

function whileOpen<T>(image: string, look: (fd: number) => T): T {
  const fd = openSync(image, 'r');
  try {
    return look(fd);
  } finally {
    closeSync(fd);
  }
}
