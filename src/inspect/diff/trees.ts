import type { Context } from '../../context.js';
import { FlattenError } from '../../errors.js';
import type { Layer } from '../../layer/layer.js';
import { readBoth } from '../../layer/read-both.js';
import { Meter } from '../../meter.js';
import type { ImageConfig } from '../../oci/config.js';
import {
  ASPECTS,
  type Aspect,
  type Change,
  type Comparison,
  compare,
  differences,
} from '../../rootfs/compare.js';
import type { Content, Node, Rootfs } from '../../rootfs/node.js';
import { Entry } from '../../tree.js';
import { type ConfigChange, diffConfigs } from './config.js';
import { findRenames, renameCandidates } from './renames.js';

/** A tree that is compared; a `Tree` is one. */
export interface DiffSide {
  readonly rootfs: Rootfs;
  /** Absent where there is none, as for a root filesystem. */
  readonly config?: ImageConfig;
  /** Base first; those that its content lies in. */
  readonly layers: readonly Layer[];
  readonly verified: Promise<void>;
}

/** What can be left out of a comparison: `config` is the configs of the images. */
const IGNORABLE = [...ASPECTS.filter((aspect) => aspect !== 'type'), 'config'] as const;
export type Ignorable = Exclude<Aspect, 'type'> | 'config';

/** How two trees are compared. */
export interface DiffTreesOptions {
  /** What does not count as a difference. Default none. */
  readonly ignore?: readonly Ignorable[];
  /** Take files for equal, unread, that lie at one place of layers with one digest. Say false where the trees were opened without digests. Default true. */
  readonly digests?: boolean;
  /** Names at the root that one of the trees may have by itself, as `lost+found`. Default none. */
  readonly mayAdd?: readonly string[];
  readonly signal?: AbortSignal;
  /** Progress, as the phase `check`. */
  readonly onEvent?: Context['report'];
}

/** A path at which two trees differ. */
export interface TreeChange {
  readonly change: 'added' | 'removed' | 'renamed' | 'changed';
  /** What the first tree has; absent if `added`. Of what was renamed, under its old path. */
  readonly before?: Entry;
  /** What the second tree has; absent if `removed`. */
  readonly after?: Entry;
  /** In what the two differ, in the order of the letters of `flatten diff`. Empty if one is absent, and of a file that has another name only. */
  readonly aspects: readonly Aspect[];
  /** Whether the same two inodes stand at an earlier path too: this is a further hard link. */
  readonly isFurtherName: boolean;
  /** Whether it lies below a path at which the other tree has nothing, or no directory. */
  readonly isBelow: boolean;
}

/** How two trees differ. */
export interface TreeDiff {
  /** In the order of a walk; what was renamed under its new path. */
  readonly changes: readonly TreeChange[];
  /** Empty where one of the two has no config. */
  readonly config: readonly ConfigChange[];
  /** How many of the lowest layers are the same in both, by their digests. */
  readonly sharedLayers: number;
}

/**
 * Compares two trees: names, kinds, content, link targets, devices, modes, owners, times, xattrs, hard links as groups of names, and the configs.
 * Content is read only where the sizes agree, and never held in memory. Files that were renamed are found by their content. Resolves once the digests of both images were found right.
 *
 * @example
 * const { changes } = await diffTrees(await before.tree(), await after.tree(), { ignore: ['mtime'] });
 * for (const { change, before, after } of changes) console.log(change, (after ?? before)?.path);
 */
export async function diffTrees(
  before: DiffSide,
  after: DiffSide,
  options: DiffTreesOptions = {},
): Promise<TreeDiff> {
  const { digests = true, mayAdd = [], signal = new AbortController().signal } = options;
  const ignored = ignoredIn(options.ignore ?? []);
  const reads = !ignored.has('content');
  const isSame = digests ? sameStored(before.layers, after.layers) : undefined;
  const comparison = compare(before.rootfs, after.rootfs, isSame);
  const unread = reads ? comparison.unread : [];
  const candidates = renameCandidates(reads ? comparison.changes() : []);
  const sizes = [...unread.map((each) => each.before.size), ...candidates.contents.map(({ size }) => size)];
  const report = options.onEvent ?? (() => {});
  const meter = new Meter(
    { report },
    'check',
    sizes.reduce((sum, size) => sum + size, 0),
  );
  await readBoth(unread, signal, (bytes) => meter.add(bytes));
  const renames = await findRenames(candidates, signal, (bytes) => meter.add(bytes));
  meter.end();
  await Promise.all([before.verified, after.verified]);
  const entries = { before: before.layers, after: after.layers };
  const changes = [...told(comparison, renames, ignored, mayAdd, entries)];
  const config =
    before.config && after.config && !ignored.has('config')
      ? diffConfigs(before.config, after.config).filter(
          ({ field }) => field !== 'created' || !ignored.has('mtime'),
        )
      : [];
  return { changes, config, sharedLayers: sharedLayers(before.layers, after.layers) };
}

function ignoredIn(ignore: readonly Ignorable[]): ReadonlySet<string> {
  for (const word of ignore) {
    if (!IGNORABLE.includes(word))
      throw new FlattenError('USAGE', `{ignore: ${word}}: nothing that can be ignored`, {
        hint: `it is one of ${IGNORABLE.join(', ')}`,
      });
  }
  return new Set(ignore);
}

function* told(
  comparison: Comparison,
  renames: ReadonlyMap<Change, Change>,
  ignored: ReadonlySet<string>,
  mayAdd: readonly string[],
  layers: { readonly before: readonly Layer[]; readonly after: readonly Layer[] },
): Generator<TreeChange> {
  const gone = new Map([...renames].map(([added, removed]) => [removed.path, added]));
  const origins = new Map([...renames].map(([added, removed]) => [added.path, removed]));
  const counted = (aspects: Iterable<Aspect>) => [...aspects].filter((aspect) => !ignored.has(aspect));
  const entry = (path: string, node: Node, side: 'before' | 'after') => new Entry(path, node, layers[side]);
  for (const { path, before, after, isFurtherName, isBelow, ...change } of comparison.changes()) {
    const where = { isFurtherName, isBelow };
    if (before !== undefined && after !== undefined) {
      const aspects = counted(change.aspects);
      const both = { before: entry(path, before, 'before'), after: entry(path, after, 'after') };
      if (aspects.length > 0) yield { change: 'changed', ...both, aspects, ...where };
      continue;
    }
    if (isOwn(path, (before ?? after)!, mayAdd)) continue;
    if (before !== undefined) {
      if (!gone.has(path))
        yield { change: 'removed', before: entry(path, before, 'before'), aspects: [], ...where };
      continue;
    }
    const origin = origins.get(path);
    const now = { after: entry(path, after!, 'after') };
    if (origin === undefined) yield { change: 'added', ...now, aspects: [], ...where };
    else {
      const old = entry(origin.path, origin.before!, 'before');
      const aspects = counted(differences(origin.before!, after!));
      yield { change: 'renamed', before: old, ...now, aspects, isFurtherName, isBelow: false };
    }
  }
}

/** Whether it is what a file system has by itself: an empty directory of that name. */
function isOwn(path: string, node: Node, mayAdd: readonly string[]): boolean {
  return mayAdd.includes(path) && node.kind === 'directory' && node.children.size === 0;
}

/** Whether two files lie at one place of layers that are the same by their digests. */
function sameStored(before: readonly Layer[], after: readonly Layer[]): (a: Content, b: Content) => boolean {
  const nameOf = (layers: readonly Layer[], { layer }: Content) => {
    if (typeof layer.file === 'string') return undefined; // a file of this machine
    const { diffID, digest } = layers[layer.order] ?? {};
    return diffID ?? digest;
  };
  return (a, b) => {
    if (a.offset !== b.offset) return false;
    const name = nameOf(before, a);
    return name !== undefined && name === nameOf(after, b);
  };
}

function sharedLayers(before: readonly Layer[], after: readonly Layer[]): number {
  const isShared = (layer: Layer, index: number) => {
    const name = layer.diffID ?? layer.digest;
    return name !== undefined && name === (after[index]?.diffID ?? after[index]?.digest);
  };
  const first = before.findIndex((layer, index) => !isShared(layer, index));
  return first < 0 ? before.length : first;
}
