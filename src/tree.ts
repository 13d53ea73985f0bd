import { setImmediate } from 'node:timers/promises';
import type { Context } from './context.js';
import { FlattenError, printable, throwIfAborted } from './errors.js';
import { Budget } from './layer/budget.js';
import type { Layer, OpenLayer } from './layer/layer.js';
import { openLayers } from './layer/load.js';
import { UpperBuilder, type UpperOptions } from './layer/upper.js';
import { clampTimes } from './rootfs/clamp.js';
import { exclude, include } from './rootfs/edit.js';
import { pathTest } from './rootfs/glob.js';
import { merge, type Replaced, type Upper } from './rootfs/merge.js';
import { type Directory, directory, type Rootfs } from './rootfs/node.js';
import { finish } from './rootfs/walk.js';

/** How layers become a tree. */
export interface TreeOptions extends UpperOptions {
  /** Keep only what these globs mean; then take away what `exclude` means. See {@link pathTest}. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Merged on top when all that is done; symlinks of the tree to directories are followed. */
  readonly add?: readonly Layer[];
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

/** Pass one: opens layers, base first, reads each into an upper tree and merges it onto the tree so far; then edits it. */
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
    await mergeLayers(layers, { root, budget, opened }, options, context);
    edit(root, options);
    await mergeLayers(options.add ?? [], { root, budget, opened }, { keepDirlinks: true }, context);
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

/** A tree in the making: what {@link mergeLayers} merges onto, counts against, and leaves open. */
interface Making {
  readonly root: Directory;
  readonly budget: Budget;
  readonly opened: OpenLayer[];
}

async function mergeLayers(
  layers: readonly Layer[],
  { root, budget, opened }: Making,
  options: UpperOptions,
  context: Context,
): Promise<void> {
  const merged: OpenLayer[] = [];
  for await (const layer of openLayers(layers, context)) {
    const { name } = layers[merged.length]!;
    merged.push(layer);
    layer.verified.catch(() => {}); // it is awaited with the others; until then its failure is no unhandled one
    const upper = await readUpper(name, layer, root, budget, options, context);
    for (const replaced of merge(root, upper))
      context.report({ type: 'warning', message: warning(name, replaced) });
  }
  opened.push(...merged); // until here they were openLayers' to close
}

function edit(root: Directory, { include: wanted = [], exclude: unwanted = [] }: TreeOptions): void {
  if (wanted.length > 0) include(root, pathTest(wanted));
  if (unwanted.length > 0) exclude(root, pathTest(unwanted));
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
