import { type AnyTree, openAnyTree } from '../../any-tree.js';
import type { Context } from '../../context.js';
import { FlattenError } from '../../errors.js';
import { contextOf, type InputOptions, registriesOf } from '../../input.js';
import { parsePlatform } from '../../oci/platform.js';
import { exclude, include } from '../../rootfs/edit.js';
import { pathTest } from '../../rootfs/glob.js';
import { finish } from '../../rootfs/walk.js';
import { openOne } from '../../sources/open.js';
import { type Input, parseInput } from '../../sources/transport.js';
import { type DiffSide, type DiffTreesOptions, diffTrees, type TreeDiff } from './trees.js';

/** Which two things are compared, and how. */
export interface DiffOptions
  extends Pick<
      InputOptions,
      | 'platform'
      | 'authfile'
      | 'insecure'
      | 'keepDirlinks'
      | 'include'
      | 'exclude'
      | 'maxSize'
      | 'maxEntries'
      | 'cache'
      | 'cacheSize'
      | 'tmp'
      | 'signal'
      | 'onEvent'
    >,
    Pick<DiffTreesOptions, 'ignore'> {
  /** An image or a root filesystem as any command reads it, or a disk image (ext2, ext3, ext4 or EROFS). */
  readonly before: string;
  /** The same of the other. */
  readonly after: string;
}

/** One of two things that are compared, open. */
export interface OpenSide extends DiffSide {
  /** As it was typed, without what may be a secret. */
  readonly name: string;
  readonly digest?: string;
}

/** Two things that are open, and how they differ. */
export interface OpenDiff extends TreeDiff {
  readonly sides: readonly [before: OpenSide, after: OpenSide];
}

/** Opens two inputs or outputs, compares them, lets `use` work with what was found while their content can be read, and closes them whatever happens. */
export async function withDiff<T>(options: DiffOptions, use: (diff: OpenDiff) => Promise<T>): Promise<T> {
  const inputs = [parseInput(options.before), parseInput(options.after)] as const;
  if (inputs.every((input) => input.kind === 'stored' && input.path === '-'))
    throw new FlattenError('USAGE', '-: standard input can be one of the two only');
  pathTest([...(options.include ?? []), ...(options.exclude ?? [])]); // refused before anything is read
  const platform = options.platform === undefined ? undefined : parsePlatform(options.platform);
  const context = contextOf(options);
  const opened: AnyTree[] = [];
  try {
    const sides: OpenSide[] = [];
    const idle = inputs.map(() => new Set([...(options.include ?? []), ...(options.exclude ?? [])]));
    for (const [index, input] of inputs.entries()) {
      const tree = await openSide(input, options, platform, context);
      opened.push(tree);
      sides.push(sideOf(input, tree, options, idle[index]!));
    }
    const [before, after] = sides as [OpenSide, OpenSide];
    tellIdle(options, idle, context);
    const mayAdd = opened.flatMap((tree) => tree.mayAdd);
    const diff = await diffTrees(before, after, { ...options, mayAdd, signal: context.signal });
    return await use({ ...diff, sides: [before, after] });
  } finally {
    for (const tree of opened) await tree.close();
  }
}

function openSide(
  input: Input,
  options: DiffOptions,
  platform: ReturnType<typeof parsePlatform> | undefined,
  context: Context,
): Promise<AnyTree> {
  const { keepDirlinks = false } = options;
  const choice = platform === undefined ? {} : { platform };
  const open = () => openOne(input, choice, context, { registries: registriesOf(options) });
  const isDisk = input.kind === 'stored' && (input.format === 'any' || input.format === 'rootfs');
  return openAnyTree(isDisk ? input.path : '', open, { keepDirlinks }, context);
}

/** Warns of globs that match nothing in either tree. */
function tellIdle({ include: wanted }: DiffOptions, idle: readonly Set<string>[], { report }: Context): void {
  for (const glob of idle[0]!) {
    if (!idle[1]!.has(glob)) continue;
    const option = wanted?.includes(glob) ? 'include' : 'exclude';
    const message = `{${option}: ${glob}}: nothing has such a path`;
    report({ type: 'warning', code: 'IDLE_GLOB', message });
  }
}

/** `idle` loses the globs that match something. */
function sideOf(
  input: Input,
  { rootfs, image, verified }: AnyTree,
  options: DiffOptions,
  idle: Set<string>,
): OpenSide {
  const { include: wanted = [], exclude: unwanted = [] } = options;
  if (wanted.length > 0) include(rootfs.root, pathTest(wanted, idle));
  if (unwanted.length > 0) exclude(rootfs.root, pathTest(unwanted, idle));
  return {
    name: input.text,
    rootfs: wanted.length + unwanted.length > 0 ? finish(rootfs.root) : rootfs,
    layers: image?.layers ?? [],
    verified,
    ...(image?.config && { config: image.config }),
    ...(image?.digest && { digest: image.digest }),
  };
}
