import { setImmediate } from 'node:timers/promises';
import type { Context } from './context.js';
import { FlattenError, printable, throwIfAborted } from './errors.js';
import { Budget } from './layer/budget.js';
import type { Layer, LayerEntry, OpenLayer } from './layer/layer.js';
import { boundsOn, openLayers } from './layer/load.js';
import { settleNames } from './layer/named-acls.js';
import { Notes, type NotTaken, notTaken } from './layer/notes.js';
import { UpperBuilder, type UpperOptions } from './layer/upper.js';
import { clampTimes } from './rootfs/clamp.js';
import { findConflict } from './rootfs/conflict.js';
import { exclude, include } from './rootfs/edit.js';
import { pathTest } from './rootfs/glob.js';
import { type MadeDirectory, makeDirectory } from './rootfs/make-directory.js';
import { type MergeObserver, merge, type Replaced, type Upper } from './rootfs/merge.js';
import { type Directory, directory, type Rootfs } from './rootfs/node.js';
import { snapshot } from './rootfs/snapshot.js';
import { finish } from './rootfs/walk.js';
import type { TarEntry } from './tar/entry.js';

/** How layers become a tree. */
export interface TreeOptions extends Pick<UpperOptions, 'keepDirlinks'> {
  /** Keep only what these globs mean; then take away what `exclude` means. See {@link pathTest}. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** Directories to make then. */
  readonly mkdir?: readonly MadeDirectory[];
  /** Merged on top when all that is done, but never a directory onto anything else or the other way round; symlinks of the tree to directories are followed. */
  readonly add?: readonly Layer[];
  /** Changes the tree when all that is done, and gives layers that come on top in the same way. */
  readonly complete?: (root: Directory) => Promise<readonly Layer[]>;
  /** Clamp every mtime to this many seconds since 1970. */
  readonly sourceDateEpoch?: number;
  /** Give the tree of this many lower layers too, as {@link LoadedTree.base}. Default none. */
  readonly keep?: number;
  /** Is told how the tree comes to be. Default: nobody is. */
  readonly observer?: LoadObserver;
}

/** Is told what the image's layers have, base first, and what becomes of it; of edits it is not told. */
export interface LoadObserver extends MergeObserver {
  /** A layer is open, and its entries come. */
  layer(open: OpenLayer): void;
  /** The layer's next entry, in archive order. */
  entry(entry: TarEntry): void;
  /** The layer is read, and will now be merged onto the tree so far. */
  merging(upper: Upper): void;
}

/** The merged tree of an image, and the open layers its content lies in. */
export interface LoadedTree {
  readonly rootfs: Rootfs;
  /** The `keep` lowest layers and their tree, which shares its inodes with `rootfs`, but for directories. */
  readonly base?: { readonly layers: readonly Layer[]; readonly root: Directory };
  /** What the image has and the tree has not, by kind. */
  readonly losses: readonly NotTaken[];
  /** Resolves once every layer's digests were found right; rejects with the first that was not. */
  readonly verified: Promise<void>;
  /** To be called when no content will be read any more. */
  close(): void;
}

/** Milliseconds between two turns of the event loop, and entries between two looks at the clock. */
const TURN = 20;
const LOOK = 32;

/** The most layers of an image; Docker's storage drivers take 125 or so. */
const MAX_LAYERS = 1000;

/** Replaced symlinks that are told of one by one; of a layer with more, only how many. */
const MAX_WARNINGS = 20;

/** Pass one: opens layers, base first, reads each into an upper tree and merges it onto the tree so far; then edits it. */
export async function loadTree(
  layers: readonly Layer[],
  options: TreeOptions,
  context: Context,
): Promise<LoadedTree> {
  if (layers.length > MAX_LAYERS) {
    throw new FlattenError('LIMIT', `the image has ${layers.length} layers: at most ${MAX_LAYERS} are read`);
  }
  const opened: OpenLayer[] = [];
  const close = () => {
    for (const layer of opened) layer.close();
  };
  try {
    const root = directory();
    const notes = new Notes();
    const budget = new Budget(boundsOn(layers, context.limits));
    const making = { root, budget, opened, notes };
    const { keep = 0, sourceDateEpoch } = options;
    let base: Directory | undefined;
    await mergeLayers(layers, making, options, context, (count) => {
      if (count === keep) base = snapshot(root);
    });
    if (notes.namedAcls.length > 0) {
      settleNames(notes, root, (message) => context.report({ type: 'warning', code: 'ACL_NAMES', message }));
    }
    edit(root, options, context);
    budget.continueWith(context.limits);
    const onTop = { keepDirlinks: true, isEdit: true };
    await mergeLayers(options.add ?? [], making, onTop, context);
    if (options.complete) await mergeLayers(await options.complete(root), making, onTop, context);
    if (sourceDateEpoch !== undefined) {
      // The base too: that kept layers are not clamped is no difference that a layer above should undo.
      for (const tree of base ? [root, base] : [root])
        clampTimes(tree, BigInt(sourceDateEpoch) * 1_000_000_000n);
    }
    const verified = Promise.all(opened.map((layer) => layer.verified)).then(() => {});
    verified.catch(() => {});
    const kept = base && { base: { layers: layers.slice(0, keep), root: base } };
    const losses = notes.hasUnread ? notTaken(root) : [];
    return { rootfs: finish(root), ...kept, losses, verified, close };
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
  readonly notes: Notes;
}

async function mergeLayers(
  layers: readonly Layer[],
  making: Making,
  {
    keepDirlinks,
    isEdit,
    observer,
  }: Pick<TreeOptions, 'keepDirlinks' | 'observer'> & { readonly isEdit?: boolean },
  context: Context,
  onMerged: (count: number) => void = () => {},
): Promise<void> {
  const merged: OpenLayer[] = [];
  const { root, budget, opened, notes } = making;
  for await (const layer of openLayers(layers, context)) {
    const { name, isPlain = false } = layers[merged.length]!;
    merged.push(layer);
    layer.verified.catch(() => {}); // it is awaited with the others; until then its failure is no unhandled one
    const isNew = notes.overlay === undefined;
    observer?.layer(layer);
    const reading = { keepDirlinks, budget, notes, isPlain, ...(observer && { observer }) };
    const upper = await readUpper(name, layer, root, reading, context);
    if (isEdit) refuseConflict(name, root, upper);
    observer?.merging(upper);
    warn(name, merge(root, upper, observer), context);
    if (isNew && notes.overlay !== undefined) warnOfOverlay(name, notes.overlay, context);
    onMerged(merged.length);
  }
  opened.push(...merged); // until here they were openLayers' to close
}

function edit(
  root: Directory,
  { include: wanted = [], exclude: unwanted = [], mkdir = [], sourceDateEpoch = 0 }: TreeOptions,
  { report }: Context,
): void {
  for (const [option, globs, act] of [
    ['include', wanted, include],
    ['exclude', unwanted, exclude],
  ] as const) {
    if (globs.length === 0) continue;
    const idle = new Set(globs);
    act(root, pathTest(globs, idle));
    for (const glob of idle)
      report({
        type: 'warning',
        code: 'IDLE_GLOB',
        message: `{${option}: ${glob}}: nothing has such a path`,
      });
  }
  for (const made of mkdir) makeDirectory(root, made, BigInt(sourceDateEpoch) * 1_000_000_000n);
}

function refuseConflict(layer: string, root: Directory, upper: Upper): void {
  const conflict = findConflict(root, upper);
  if (conflict === undefined) return;
  const { path, lower, upper: added } = conflict;
  throw new FlattenError('USAGE', `is a ${lower} in the image, and what is added a ${added}`, {
    layer,
    path,
    hint: `to replace it, leave it out first: {exclude: /${printable(path)}}`,
  });
}

async function readUpper(
  name: string,
  layer: OpenLayer,
  lower: Directory,
  options: UpperOptions & { readonly observer?: LoadObserver },
  context: Context,
): Promise<Upper> {
  const { observer } = options;
  const entries = layer.entries()[Symbol.iterator]();
  try {
    const builder = new UpperBuilder(lower, options);
    let turn = performance.now();
    while (addSome(builder, entries, observer)) {
      if (performance.now() - turn < TURN) continue;
      await setImmediate();
      throwIfAborted(context.signal);
      turn = performance.now();
    }
    return builder.finish();
  } catch (error) {
    entries.return?.();
    throw error instanceof FlattenError && error.code !== 'INTERRUPTED' ? error.inLayer(name) : error;
  }
}

/**
 * Adds the next few entries; false where there are no more. Not the loop above itself: V8 optimizes a loop of an async
 * function anew for each layer, which took a third of the time.
 */
function addSome(
  builder: UpperBuilder,
  entries: Iterator<LayerEntry>,
  observer: LoadObserver | undefined,
): boolean {
  for (let count = 0; count < LOOK; count++) {
    const next = entries.next();
    if (next.done) return false;
    observer?.entry(next.value.entry);
    builder.add(next.value.entry, next.value.file);
  }
  return true;
}

function warn(layer: string, replaced: readonly Replaced[], context: Context): void {
  const report = (message: string, path?: string) =>
    context.report({
      type: 'warning',
      code: 'SYMLINK_REPLACED',
      message,
      layer,
      ...(path !== undefined && { path }),
    });
  const what = 'a directory with content replaces the symlink';
  const hint = 'of a lower layer ({keepDirlinks} follows it)';
  for (const { path, target } of replaced.slice(0, MAX_WARNINGS)) {
    report(`${layer}: ${what} ${printable(path)} -> ${printable(target)} ${hint}`, path);
  }
  const more = replaced.length - MAX_WARNINGS;
  if (more > 0) report(`${layer}: ${what} … ${hint}, in ${more} more places`);
}

function warnOfOverlay(layer: string, path: string, { report }: Context): void {
  const what = 'was packed as overlayfs has it on its disk (a device 0:0, xattrs trusted.overlay.*)';
  report({
    type: 'warning',
    code: 'OVERLAYFS',
    layer,
    path,
    message: `${layer}: ${printable(path)} ${what}: it is read as a container shows it`,
  });
}
