import { statSync } from 'node:fs';
import { openAnyTree } from './any-tree.js';
import type { Context } from './context.js';
import { FlattenError } from './errors.js';
import { refuseIdlePlatform } from './fits.js';
import { type InputOptions, registriesOf, withInput } from './input.js';
import { readBoth } from './layer/read-both.js';
import { Meter } from './meter.js';
import { compare } from './rootfs/compare.js';
import { type Difference, type DifferenceKind, differencesIn } from './rootfs/difference.js';
import { type DifferenceCounts, showCounts, totalOf } from './rootfs/difference-counts.js';
import type { Rootfs } from './rootfs/node.js';
import type { ClosableImage } from './sources/image.js';
import { openOne } from './sources/open.js';
import { type Input, parseInput } from './sources/transport.js';

/** What {@link verify} is asked to do. */
export interface VerifyOptions extends InputOptions {
  /** The output: a disk image, a flat tar, a directory, or an image with its transport, as `oci:DIR`. */
  readonly output: string;
  /** List no more differences than this, a whole number; all are counted. Default: all are listed. Throws `USAGE` for any other. */
  readonly limit?: number;
}

/** What {@link verify} found. */
export interface VerifyResult {
  readonly entries: number;
  /** In the order of the paths, as many as were asked for. */
  readonly differences: readonly Difference[];
  /** How many there are of each kind, listed or not; the most first. */
  readonly counts: DifferenceCounts;
}

/** Reads an output back, without mounting it, and compares it with the tree of the image it was made of. */
export async function verify(options: VerifyOptions): Promise<VerifyResult> {
  const { output, limit = Number.POSITIVE_INFINITY } = options;
  if (limit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(limit) && limit >= 0))
    throw new FlattenError('USAGE', `{limit: ${limit}}: not a whole number`);
  const registries = registriesOf(options);
  const [written, input] = [parseInput(output), parseInput(options.input)];
  return withInput({ ...options, input }, undefined, async ({ image, tree, context }) => {
    refuseIdlePlatform(image, options);
    const open = () => openOne(written, {}, context, { rootfsOnly: !isImage(written), registries });
    const found = await differencesOf({ path: output, open, limit }, tree.rootfs, context);
    await tree.verified;
    return { entries: tree.rootfs.entries, ...found };
  });
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
