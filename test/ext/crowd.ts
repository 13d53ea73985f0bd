import type { TestContext } from 'node:test';
import type { Rootfs } from '../../src/rootfs/node.js';
import { TreeBuilder } from './tree-builder.js';

/** A tree with as much of one kind as e2fsck and the kernel allow, or as people have met. */
export function crowd(t: TestContext): Rootfs {
  const tree = new TreeBuilder(t);
  for (let i = 0; i < 60_000; i++) tree.file(`many/file-number-${i}`, i % 500 === 0 ? `content ${i}` : '');
  for (let i = 0; i < 40_000; i++) tree.directory(`directories/${i}`, { mode: 0o700 + (i % 64) });
  const file = tree.file('linked', 'to many');
  for (let i = 1; i < 64_000; i++) tree.put(`links/${i}`, file);
  return tree.finish();
}
