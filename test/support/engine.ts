import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UpperBuilder } from '../../src/layer/upper.js';
import { merge } from '../../src/rootfs/merge.js';
import { directory } from '../../src/rootfs/node.js';
import { finish } from '../../src/rootfs/walk.js';
import { scanTar } from '../../src/tar/scan.js';
import { listRootfs } from './list-rootfs.js';
import { lines } from './listing.js';

/** How {@link treeLines} reads. */
export interface EngineOptions {
  readonly keepDirlinks?: boolean;
  /** Bytes that the scan holds at a time. */
  readonly window?: number;
  /** Bytes that a read gives at most: a short read. */
  readonly readSize?: number;
}

/** The listing of the tree that layers give, by the engine alone: no source, no sink. Layer files go to `directory`. */
export function treeLines(layers: readonly Buffer[], scratch: string, options: EngineOptions = {}): string[] {
  const { keepDirlinks = false, window, readSize = Number.POSITIVE_INFINITY } = options;
  const opened: number[] = [];
  try {
    const root = directory();
    for (const [order, tar] of layers.entries()) {
      const path = join(scratch, `layer-${order}`);
      writeFileSync(path, tar);
      const file = openSync(path, 'r');
      opened.push(file);
      const read = (target: Uint8Array, at: number) =>
        tar.copy(target, 0, at, Math.min(tar.length, at + target.length, at + readSize));
      const builder = new UpperBuilder(root, { keepDirlinks });
      const entries = scanTar({ size: tar.length, read }, window === undefined ? {} : { window });
      for (const entry of entries) builder.add(entry, { order, file });
      merge(root, builder.finish());
    }
    return lines(listRootfs(finish(root)));
  } finally {
    for (const file of opened) closeSync(file);
  }
}
