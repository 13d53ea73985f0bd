import { setImmediate } from 'node:timers/promises';
import type { Context } from './context.js';
import { FlattenError, printable, throwIfAborted } from './errors.js';
import { Budget } from './layer/budget.js';
import type { Layer, OpenLayer } from './layer/layer.js';
import { openLayers } from './layer/load.js';
import { UpperBuilder, type UpperOptions } from './layer/upper.js';
import { clampTimes } from './rootfs/clamp.js';
import { merge, type Replaced, type Upper } from './rootfs/merge.js';
import { type Directory, directory, type Rootfs } from './rootfs/node.js';
import { finish } from './rootfs/walk.js';

/** How layers become a tree. */
export interface TreeOptions extends Pick<UpperOptions, 'keepDirlinks'> {
  /** Clamp every mtime to this many seconds since 1970. */
  readonly sourceDateEpoch?: number;
}

/** The merged tree of an image, and the open layers its content lies in. */
export interface LoadedTree {
  readonly rootfs: Rootfs;
  /** Resolves once every layer's digests were found right; rejects with the first that was not. */
  readonly verified: Promise<void>;
  /** To be called when no content will be read any more. */
  close(): void;
}

/** Entries between two turns of the event loop: a few milliseconds of work. */
const TURN = 4096;

/** Pass one: opens layers, base first, reads each into an upper tree and merges it onto the tree so far. */
export async function loadTree(
  layers: readonly Layer[],
  options: TreeOptions,
  context: Context,
): Promise<LoadedTree> {
  const opened: OpenLayer[] = [];
  const close = () => {
    for (const layer of opened) layer.close();
  };
  try {
    const root = directory();
    const budget = new Budget(context.limits);
    for await (const layer of openLayers(layers, context)) {
      const { name } = layers[opened.length]!;
      opened.push(layer);
      layer.verified.catch(() => {}); // it is awaited below; until then its failure is no unhandled one
      const upper = await readUpper(name, layer, root, budget, options, context);
      for (const replaced of merge(root, upper))
        context.report({ type: 'warning', message: warning(name, replaced) });
    }
    if (options.sourceDateEpoch !== undefined)
      clampTimes(root, BigInt(options.sourceDateEpoch) * 1_000_000_000n);
    const verified = Promise.all(opened.map((layer) => layer.verified)).then(() => {});
    verified.catch(() => {});
    return { rootfs: finish(root), verified, close };
  } catch (error) {
    close();
    throw error;
  }
}

async function readUpper(
  name: string,
  layer: OpenLayer,
  lower: Directory,
  budget: Budget,
  options: TreeOptions,
  context: Context,
): Promise<Upper> {
  try {
    const builder = new UpperBuilder(lower, { ...options, budget });
    let count = 0;
    for (const { entry, file } of layer.entries()) {
      builder.add(entry, file);
      if (++count % TURN !== 0) continue;
      await setImmediate();
      throwIfAborted(context.signal);
    }
    return builder.finish();
  } catch (error) {
    throw error instanceof FlattenError && error.code !== 'INTERRUPTED' ? error.inLayer(name) : error;
  }
}

function warning(layer: string, { path, target }: Replaced): string {
  const link = `${printable(path)} -> ${printable(target)}`;
  return `${layer}: a directory with content replaces the symlink ${link} of a lower layer (--keep-dirlinks follows it)`;
}
