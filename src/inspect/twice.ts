import { setImmediate } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';
import { byPosition, ContentReader } from '../layer/content.js';
import { contentDigest } from '../layer/content-digest.js';
import type { File } from '../rootfs/node.js';
import { byBytes, walk } from '../rootfs/walk.js';
import { storedBytes } from './carried.js';
import type { History } from './history.js';
import type { FileSum } from './waste.js';

/** Files of a tree that have the same bytes, and are no hard links. */
export interface Twins {
  /** In byte order; latin1. */
  readonly paths: readonly string[];
  /** What all but the first take. */
  readonly bytes: number;
}

/** Content that a tree has more than once; `files` and `bytes` are those that hard links would save. */
export interface Twice extends FileSum {
  readonly worst: readonly Twins[];
}

/** Milliseconds between two turns of the event loop. */
const TURN = 50;

/** Finds files of the same content among those of the same size, which it reads in the order in which they lie; `worst` is how many groups are listed. */
export async function findTwice(history: History, worst: number, signal: AbortSignal): Promise<Twice> {
  const paths = new Map<File, string>();
  const sizes = new Map<number, File[]>();
  for (const { path, node } of walk(history.tree.rootfs.root)) {
    if (node.kind !== 'file' || paths.has(node) || storedBytes(node.content) === 0) continue;
    paths.set(node, path);
    const { size } = node.content;
    const same = sizes.get(size);
    if (same === undefined) sizes.set(size, [node]);
    else same.push(node);
  }
  const candidates = [...sizes.values()].filter((files) => files.length > 1).flat();
  const groups = await grouped(candidates, signal);
  const twins = groups.map((files) => ({
    paths: files.map((file) => paths.get(file)!).sort(byBytes),
    bytes: (files.length - 1) * storedBytes(files[0]!.content),
  }));
  return {
    files: twins.reduce((sum, { paths }) => sum + paths.length - 1, 0),
    bytes: twins.reduce((sum, { bytes }) => sum + bytes, 0),
    worst: twins.sort((a, b) => b.bytes - a.bytes || byBytes(a.paths[0]!, b.paths[0]!)).slice(0, worst),
  };
}

async function grouped(files: readonly File[], signal: AbortSignal): Promise<File[][]> {
  const groups = new Map<string, File[]>();
  const reader = new ContentReader();
  let turn = performance.now();
  try {
    for (const file of [...files].sort((a, b) => byPosition(a.content, b.content))) {
      const key = `${file.content.size} ${contentDigest(file.content, reader)}`;
      const known = groups.get(key);
      if (known === undefined) groups.set(key, [file]);
      else known.push(file);
      if (performance.now() - turn < TURN) continue;
      await setImmediate();
      throwIfAborted(signal);
      turn = performance.now();
    }
  } finally {
    reader.close();
  }
  return [...groups.values()].filter((group) => group.length > 1);
}
