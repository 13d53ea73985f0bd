import { existsSync } from 'node:fs';
import type { Context } from './context.js';
import { refuseIdlePlatform, refuseMisfits } from './fits.js';
import { type InputOptions, type MoreInputOptions, withImages, withTree } from './input.js';
import type { Digest } from './oci/digest.js';
import { formatPlatform } from './oci/platform.js';
import { refuseLayers, refuseOverlap } from './overlap.js';
import { digestFile, writeDigestFile } from './sinks/digest-file.js';
import type { Format } from './sinks/format.js';
import { Losses, withLosses } from './sinks/loss.js';
import { type DiskOptions, type OutputOptions, openSink } from './sinks/open.js';
import { isPlainFile, isStream, type Output, parseOutput } from './sinks/output.js';
import { refuseUnready } from './sinks/ready.js';
import type { Artifact } from './sinks/sink.js';
import type { OpenedImage } from './sources/image.js';
import { flattenedOf, imageOptions, type SquashOptions, writeEvery } from './squash.js';
import { verifyWritten } from './verify.js';

/** What {@link flatten} is asked to do. */
export interface FlattenOptions extends InputOptions {
  /**
   * A directory (`rootfs/`), a file, `-` for standard output, or an image: `docker-archive:FILE[:NAME:TAG]`, `oci:DIR[:TAG]`,
   * `oci-archive:FILE[:TAG]`, `docker-daemon:NAME[:TAG]`.
   */
  readonly output: string;
  /** Default: what the output's name says. */
  readonly format?: Format;
  /** Replace an existing output once the new one is whole. Default false. */
  readonly force?: boolean;
  /** Fail where the output cannot hold something. Default false. */
  readonly strict?: boolean;
  /** Directories: let a file keep setuid and setgid where the system does not let it have its owner. Default false. */
  readonly keepSetuid?: boolean;
  /** Disk images: their size and identity. */
  readonly disk?: DiskOptions;
  /** Images: their config, the layers they keep, and how the new one is stored. */
  readonly squash?: SquashOptions;
  /** Read the output back before it appears, and fail where it differs from the tree. Default false. */
  readonly verify?: boolean;
  /**
   * Compute the digest of an output file. Default: of a flat tar, since its bytes go by, but of a disk image only for `sha256`.
   * Where no core is to spare it costs a third of the time. Images always have one.
   */
  readonly digest?: boolean;
  /** Write `OUTPUT.sha256` beside the output file, in the form of sha256sum. Default false. */
  readonly sha256?: boolean;
}

/** What {@link flatten} did. */
export interface FlattenResult {
  /** The image that was read. */
  readonly image: {
    readonly name: string;
    readonly kind: OpenedImage['kind'];
    readonly digest?: Digest;
    readonly platform?: string;
    readonly layers: number;
  };
  readonly format: Format;
  readonly artifact: Artifact;
  readonly seconds: number;
}

/**
 * The whole story: a source opens an image, its layers become one tree, a sink writes the tree. Throws a
 * FlattenError; then the output is as it was before.
 */
export async function flatten(options: FlattenOptions): Promise<FlattenResult> {
  const start = performance.now();
  const output = parseOutput(options.output, options.format);
  refuseMisfits(options, output);
  const written = writtenBy(output, options);
  refuseOverlap(options, written);
  await refuseUnready(output, options);
  const known = sinkOptions(options, output);
  const { squash: { fromLayer, last } = {} } = options;
  const keep = { ...(fromLayer !== undefined && { fromLayer }), ...(last !== undefined && { last }) };
  const input = { ...options, keep };
  return withImages(input, output.path, async (images, context) => {
    const paths = written.map(({ path }) => path);
    for (const image of images) refuseLayers(image, paths);
    refuseIdlePlatform(images[0]!, options, output);
    const artifact =
      options.platform === 'all' && output.kind === 'image'
        ? await writeEvery(images, output, input, { ...known, ...known.image }, context)
        : await writeOne(images[0]!, output, input, known, context);
    const seconds = (performance.now() - start) / 1000;
    return { image: summary(images), format: output.format, artifact, seconds };
  });
}

async function writeOne(
  image: OpenedImage,
  output: Output,
  options: FlattenOptions & MoreInputOptions,
  known: OutputOptions,
  context: Context,
): Promise<Artifact> {
  return withTree(image, options, context, async (tree) => {
    const check = (path: string) => verifyWritten(path, tree.rootfs, context);
    const sink = await openSink(output, { ...known, ...(options.verify && { check }) });
    const losses = new Losses(known);
    losses.merge(tree.losses);
    const artifact = withLosses(await sink.write(flattenedOf(image, tree), context), losses);
    if (!isPlainFile(output)) return artifact;
    if (options.sha256) await writeDigestFile(output.path, artifact.digest!);
    else if (options.force && existsSync(digestFile(output.path))) {
      const message = `${digestFile(output.path)}: is of the output before ({sha256} writes it anew)`;
      context.report({ type: 'warning', message });
    }
    return artifact;
  });
}

function sinkOptions(options: FlattenOptions, { kind }: Output): OutputOptions {
  const { force = false, strict = false, keepSetuid, disk, squash = {}, sourceDateEpoch } = options;
  const digest = options.sha256 || options.digest;
  return {
    force,
    strict,
    ...(keepSetuid !== undefined && { keepSetuid }),
    ...(digest !== undefined && { digest }),
    ...(disk && { disk }),
    ...(kind === 'image' && { image: imageOptions(squash, options.platform) }),
    ...(sourceDateEpoch !== undefined && { sourceDateEpoch }),
  };
}

/** The paths that will be written; none for a stream or an engine. */
function writtenBy(output: Output, { sha256 }: FlattenOptions): { path: string; isDirectory: boolean }[] {
  if (output.path === undefined || isStream(output)) return [];
  const { path, kind, format } = output;
  const isDirectory = kind === 'directory' || format === 'oci';
  return [{ path, isDirectory }, ...(sha256 ? [{ path: digestFile(path), isDirectory: false }] : [])];
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
