import { existsSync } from 'node:fs';
import type { Context } from './context.js';
import { refuseIdlePlatform } from './fits.js';
import { type ParsedInputOptions, withImages, withTree } from './input.js';
import type { LoadedTree } from './load-tree.js';
import { Losses } from './losses.js';
import { formatPlatform } from './oci/platform.js';
import type { FlattenOptions, FlattenResult } from './options.js';
import { refuseLayers } from './overlap.js';
import { digestFile, writeDigestFile } from './sinks/digest-file.js';
import { type OutputOptions, openSink } from './sinks/open.js';
import { isPlainFile, type Output } from './sinks/output.js';
import type { Artifact } from './sinks/sink.js';
import { withLosses } from './sinks/sink.js';
import type { OpenedImage } from './sources/image.js';
import { flattenedOf, parseImageOptions, writeEvery } from './squash.js';
import { verifyWritten } from './verify.js';

/** What is known of a run when it begins. */
export interface Begun {
  /** The paths that will be written. */
  readonly written: readonly string[];
  /** Milliseconds, as performance.now() has them. */
  readonly start: number;
}

type ParsedOptions = ParsedInputOptions & Omit<FlattenOptions, 'input'>;

/** Opens the image, makes the tree, and writes it to an output that may be written. */
export async function carryOut(
  options: ParsedOptions,
  output: Output,
  { written, start }: Begun,
): Promise<FlattenResult> {
  const known = sinkOptions(options, output);
  const { image: { fromLayer, last } = {} } = options;
  const keep = { ...(fromLayer !== undefined && { fromLayer }), ...(last !== undefined && { last }) };
  const input = { ...options, keep };
  return withImages(input, output.path, async (images, context) => {
    for (const image of images) refuseLayers(image, written);
    refuseIdlePlatform(images[0]!, options, output);
    const artifact =
      options.platform === 'all' && output.kind === 'image'
        ? await writeEvery(images, output, input, { ...known, ...known.image }, context)
        : await writeOne(images[0]!, output, input, known, context);
    const seconds = (performance.now() - start) / 1000;
    const traffic = images[0]!.kind === 'registry' && context.traffic;
    const result = { image: summary(images), format: output.format, artifact, seconds };
    return { ...result, ...(traffic && { traffic }) };
  });
}

async function writeOne(
  image: OpenedImage,
  output: Output,
  options: ParsedOptions,
  known: OutputOptions,
  context: Context,
): Promise<Artifact> {
  return withTree(image, options, context, async (tree) => {
    const check = (path: string) => verifyWritten(path, tree.rootfs, context);
    const writeConfigs = await configsOf(options, image, tree, output);
    const sink = await openSink(output, { ...known, ...(options.verify && { check }) });
    const losses = new Losses(known);
    losses.merge(tree.losses);
    const artifact = withLosses(await sink.write(flattenedOf(image, tree), context), losses);
    await writeConfigs();
    if (!isPlainFile(output)) return artifact;
    if (options.sha256) await writeDigestFile(output.path, artifact.digest!, options);
    else if (options.force && existsSync(digestFile(output.path))) {
      const message = `${digestFile(output.path)}: is of the output before ({sha256} writes it anew)`;
      context.report({ type: 'warning', code: 'STALE_DIGEST', message });
    }
    return artifact;
  });
}

/** What the files beside the output will say is known before it is written; what is wrong with it is said then. */
async function configsOf(
  { configOut = [], force = false }: ParsedOptions,
  image: OpenedImage,
  { rootfs }: LoadedTree,
  output: Output,
): Promise<() => Promise<void>> {
  if (configOut.length === 0) return async () => {};
  const { configTexts, writeConfigs } = await import('./config-out.js');
  const texts = configTexts(configOut, image, rootfs, output);
  return () => writeConfigs(texts, { force });
}

function sinkOptions(options: ParsedOptions, { kind }: Output): OutputOptions {
  const { force = false, strict = false, keepSetuid, disk, image = {}, sourceDateEpoch } = options;
  const digest = options.sha256 || options.digest;
  return {
    force,
    strict,
    ...(keepSetuid !== undefined && { keepSetuid }),
    ...(digest !== undefined && { digest }),
    ...(disk && { disk }),
    ...(kind === 'image' && { image: parseImageOptions(image, options) }),
    ...(sourceDateEpoch !== undefined && { sourceDateEpoch }),
  };
}

function summary(images: readonly OpenedImage[]): FlattenResult['image'] {
  const { name, kind, digest } = images[0]!;
  const platforms = images.flatMap(({ platform }) => (platform ? [formatPlatform(platform)] : []));
  return {
    name,
    kind,
    ...(digest && images.length === 1 && { digest }),
    ...(platforms.length > 0 && { platform: platforms.join(', ') }),
    layers: images.reduce((total, { layers }) => total + layers.length, 0),
  };
}
