import { FlattenError } from './errors.js';
import { type InputOptions, withInput } from './input.js';
import type { Digest } from './oci/digest.js';
import { formatPlatform } from './oci/platform.js';
import { writeDigestFile } from './sinks/digest-file.js';
import { type DiskOptions, type Format, formatOf, openSink } from './sinks/output.js';
import type { Artifact } from './sinks/sink.js';
import type { Image } from './sources/image.js';
import { readBack } from './verify.js';

/** What {@link flatten} is asked to do. */
export interface FlattenOptions extends InputOptions {
  /** A directory (`rootfs/`), a file, or `-` for standard output. */
  readonly output: string;
  /** Default: what the output's name says. */
  readonly format?: Format;
  /** Replace an existing output once the new one is whole. Default false. */
  readonly force?: boolean;
  /** Fail where the output cannot hold something. Default false. */
  readonly strict?: boolean;
  /** Disk images: their size and identity. */
  readonly disk?: DiskOptions;
  /** Read the output back before it appears, and fail where it differs from the tree. Default false. */
  readonly readBack?: boolean;
  /** Write `OUTPUT.sha256` beside the output file, in the form of sha256sum. Default false. */
  readonly sha256?: boolean;
}

/** What {@link flatten} did. */
export interface FlattenResult {
  /** The image that was read. */
  readonly image: {
    readonly name: string;
    readonly kind: Image['kind'];
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
  const { output, force = false, strict = false, disk, sourceDateEpoch, sha256 = false } = options;
  const format = formatOf(output, options.format);
  checkFits(options, format);
  return withInput(options, output, async ({ image, tree, context }) => {
    const check = (path: string) => readBack(path, tree.rootfs, context);
    const sink = await openSink(output, format, {
      force,
      strict,
      digest: sha256,
      ...(disk && { disk }),
      ...(sourceDateEpoch !== undefined && { sourceDateEpoch }),
      ...(options.readBack && { check }),
    });
    const { config, digest } = image;
    const known = { ...(config && { config }), ...(digest && { digest }) };
    const artifact = await sink.write({ ...known, rootfs: tree.rootfs, verified: tree.verified }, context);
    if (sha256) await writeDigestFile(output, artifact.digest!);
    return { image: summary(image), format, artifact, seconds: (performance.now() - start) / 1000 };
  });
}

/** Throws `USAGE` for options that the output has no use for. */
function checkFits({ output, disk, readBack, sha256 }: FlattenOptions, format: Format): void {
  const isFile = format !== 'directory' && output !== '-';
  if (sha256 && !isFile) throw new FlattenError('USAGE', '--sha256 is for outputs that are files');
  if (readBack && output === '-')
    throw new FlattenError('USAGE', '--verify: standard output cannot be read back');
  if (disk !== undefined && !format.startsWith('ext')) {
    const names = Object.keys(disk).map(
      (name) => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    );
    throw new FlattenError('USAGE', `${names.join(', ')}: only for disk images, and the output is ${format}`);
  }
}

function summary({ name, kind, digest, platform, layers }: Image): FlattenResult['image'] {
  return {
    name,
    kind,
    ...(digest && { digest }),
    ...(platform && { platform: formatPlatform(platform) }),
    layers: layers.length,
  };
}
