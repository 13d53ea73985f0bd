import { lstatSync } from 'node:fs';
import type { TestContext } from 'node:test';
import type { Rootfs } from '../../src/rootfs/node.js';
import { walk } from '../../src/rootfs/walk.js';
import { TreeBuilder } from './tree-builder.js';

/** A tree with as much of one kind as e2fsck and the kernel allow, or as people have met. */
export function crowd(t: TestContext): Rootfs {
  const tree = new TreeBuilder(t);
  for (let i = 0; i < 60_000; i++) tree.file(`many/file-number-${i}`, i % 500 === 0 ? `content ${i}` : '');
  for (let i = 0; i < 40_000; i++) tree.directory(`directories/${i}`, { mode: 0o700 + (i % 64) });
  for (let i = 0; i < 10_000; i++) tree.fifo(`two-levels/${i}-${'n'.repeat(220)}`);
  for (let i = 0; i < 500; i++) tree.fifo(`bytes/${String.fromCharCode(128 + (i % 128))}\xff${i}\x80`);
  const file = tree.file('linked', 'to many');
  for (let i = 1; i < 64_000; i++) tree.put(`links/${i}`, file);
  return tree.finish();
}

/** Path, permissions and link count of each name; enough where the rest is all the same. */
export function roll({ root }: Rootfs): string[] {
  return [...walk(root)]
    .filter(({ path }) => path !== '' && path !== 'lost+found')
    .map(({ path, node }) => `${path} ${node.meta.mode.toString(8)} ${node.nlink}`);
}

/** The same of a directory of this machine, each name looked up by itself. */
export function rollBelow(directory: string, { root }: Rootfs): string[] {
  return [...walk(root)]
    .filter(({ path }) => path !== '' && path !== 'lost+found')
    .map(({ path }) => {
      const { mode, nlink } = lstatSync(Buffer.from(`${directory}/${path}`, 'latin1'));
      return `${path} ${(mode & 0o7777).toString(8)} ${nlink}`;
    });
}
