import { statSync } from 'node:fs';
import { openAnyTree } from './any-tree.js';
import type { Context } from './context.js';
import { FlattenError } from './errors.js';
import { refuseIdlePlatform } from './fits.js';
import { contextOf, type InputOptions, registriesOf, withInput } from './input.js';
import { readBoth } from './layer/read-both.js';
import { Meter } from './meter.js';
import { compare } from './rootfs/compare.js';
import { type Difference, type DifferenceKind, differencesIn } from './rootfs/difference.js';
import { type DifferenceCounts, showCounts, totalOf } from './rootfs/difference-counts.js';
import type { Rootfs } from './rootfs/node.js';
import type { SealCheck } from './sealed/check.js';
import type { Examined } from './sealed/examine.js';
import type { SealOptions } from './sealed/find.js';
import { mayBeSealed } from './sealed/look.js';
import type { ClosableImage } from './sources/image.js';
import { openOne } from './sources/open.js';
import { type Input, parseInput } from './sources/transport.js';

/** What {@link verify} is asked to do. */
export interface VerifyOptions extends Omit<InputOptions, 'input'>, SealOptions {
  /** The image that the output was made of. Without one a disk image is compared with its hash tree alone, and its names are read. */
  readonly input?: string;
  /** The output: a disk image, a flat tar, a directory, or an image with its transport, as `oci:DIR`. */
  readonly output: string;
  /** List no more differences than this, a whole number; all are counted. Default: all are listed. Throws `USAGE` for any other. */
  readonly limit?: number;
}

/** What {@link verify} found. */
export interface VerifyResult {
  /** Of the image; without one, or where the hash tree has faults, of the output, and 0 where it cannot be read. */
  readonly entries: number;
  /** In the order of the paths, as many as were asked for. */
  readonly differences: readonly Difference[];
  /** How many there are of each kind, listed or not; the most first. */
  readonly counts: DifferenceCounts;
  /** Of a disk image with a hash tree: whether it holds. With faults nothing else is compared. */
  readonly seal?: SealCheck;
}

/**
 * Reads an output back, without mounting it, and compares it with the tree of the image it was made of. Of a disk image with a hash tree for
 * dm-verity all blocks are compared with that before.
 */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  const { output, input, limit = Number.POSITIVE_INFINITY } = options;
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new FlattenError('USAGE', `{limit: ${limit}}: not a whole number`);
  const parsed = input === undefined ? undefined : parseInput(input);
  const written = parseInput(output);
  const found = await examined(options, limit);
  if (found !== undefined && (parsed === undefined || found.seal.count > 0))
    return { differences: [], counts: {}, ...found };
  if (parsed === undefined)
    throw new FlattenError(
      'USAGE',
      `${output}: no image is named to compare it with, and it has no hash tree`,
      {
        hint: 'name the image that it was made of',
      },
    );
  const registries = registriesOf(options);
  return withInput({ ...options, input: parsed }, undefined, async ({ image, tree, context }) => {
    refuseIdlePlatform(image, options);
    const open = () => openOne(written, {}, context, { rootfsOnly: !isImage(written), registries });
    const differences = await differencesOf({ path: output, open, limit }, tree.rootfs, context);
    await tree.verified;
    return { entries: tree.rootfs.entries, ...differences, ...(found && { seal: found.seal }) };
  });
}

/** Compares an output with its hash tree, where it has one. Most have none: they do without the code. */
async function examined(options: VerifyOptions, limit: number): Promise<Examined | undefined> {
  if (!mayBeSealed(options)) return undefined;
  const { examine } = await import('./sealed/examine.js');
  return examine(options.output, options, limit, contextOf(options));
}

/** Whether {@link verify} has something to compare an output with where no image is named. */
export async function isSealed({ output, ...options }: Omit<VerifyOptions, 'input'>): Promise<boolean> {
  if (!mayBeSealed({ output, ...options })) return false;
  const { findSeal } = await import('./sealed/find.js');
  return findSeal(output, options) !== undefined;
}

/** Fails where what lies at `path` differs from the tree it was written from: a fault of the disk, the system, or flatten. */
export async function verifyWritten(path: string, rootfs: Rootfs, context: Context): Promise<void> {
  const named = parseInput(path);
  const open = () => openOne(isImage(named) ? named : parseInput(`rootfs:${path}`), {}, context);
  const { differences, counts } = await differencesOf({ path, open, limit: 1 }, rootfs, context);
  const [first] = differences;
  if (first === undefined) return;
  const others = totalOf(counts) === 1 ? '' : `; in all, ${showCounts(counts)}`;
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  const asRoot = isDirectory && process.getuid?.() !== 0;
  throw new FlattenError('LOSS', `read back: ${first.what}${others}`, {
    path: first.path || '.',
    counts,
    ...(asRoot && { hint: 'owners and devices take root: run it as root, or without {verify}' }),
  });
}

async function differencesOf(
  {
    path,
    open,
    limit,
  }: { readonly path: string; readonly open: () => Promise<ClosableImage>; readonly limit: number },
  expected: Rootfs,
  context: Context,
): Promise<Pick<VerifyResult, 'differences' | 'counts'>> {
  const progress = new CheckProgress(expected, context);
  const actual = await openAnyTree(path, open, {}, progress.context);
  try {
    const comparison = compare(expected, actual.rootfs);
    await readBoth(comparison.unread, context.signal, (bytes) => progress.add(bytes));
    const differences: Difference[] = [];
    const counts = new Map<DifferenceKind, number>();
    for (const change of comparison.changes()) {
      if (change.before === undefined && actual.mayAdd.includes(change.path)) continue;
      for (const difference of differencesIn(change)) {
        if (differences.length < limit) differences.push(difference);
        counts.set(difference.kind, (counts.get(difference.kind) ?? 0) + 1);
      }
    }
    progress.end();
    return { differences, counts: Object.fromEntries([...counts].sort(([, a], [, b]) => b - a)) };
  } finally {
    await actual.close();
  }
}

/** One phase of two halves: the output's layers are read, then the content of its files, each as much as the tree has. */
class CheckProgress {
  readonly context: Context;
  readonly #meter: Meter;
  readonly #half: number;
  #compared = 0;

  constructor({ bytes }: Rootfs, context: Context) {
    this.#half = bytes;
    this.#meter = new Meter(context, 'check', 2 * bytes);
    const report: Context['report'] = (event) => {
      if (event.type !== 'progress') context.report(event);
      else if (event.phase === 'load' && event.total) this.#meter.at((bytes * event.done) / event.total);
    };
    this.context = { ...context, report };
  }

  add(bytes: number): void {
    this.#compared += bytes;
    this.#meter.at(this.#half + this.#compared);
  }

  end(): void {
    this.#meter.end();
  }
}

/** Whether the transport of an output says that it is an image. */
function isImage(output: Input): boolean {
  if (output.kind !== 'stored') return output.kind !== 'web';
  return output.format === 'oci' || output.format === 'docker-archive';
}
