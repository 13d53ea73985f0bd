import { statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, resolve } from 'node:path';
import { type Context, DEFAULT_LIMITS, type Event } from './context.js';
import { FlattenError } from './errors.js';
import type { Digest } from './oci/digest.js';
import { formatPlatform, parsePlatform } from './oci/platform.js';
import { type Format, formatOf, openSink } from './sinks/output.js';
import type { Artifact } from './sinks/sink.js';
import type { Image } from './sources/image.js';
import { openImage } from './sources/open.js';
import { loadTree } from './tree.js';

/** What {@link flatten} is asked to do. */
export interface FlattenOptions {
  /** An archive, a layout directory, a rootfs (tar or directory), `-` for standard input, or one of these behind a transport as `oci:DIR:TAG`. */
  readonly input: string;
  /** A directory (`rootfs/`), a file, or `-` for standard output. */
  readonly output: string;
  /** Default: what the output's name says. */
  readonly format?: Format;
  /** Which image, where the input holds several: `NAME[:TAG]` or a digest. */
  readonly image?: string;
  /** `os/arch[/variant]`. Default: this machine's, as linux. */
  readonly platform?: string;
  /** Replace an existing output once the new one is whole. Default false. */
  readonly force?: boolean;
  /** Fail where the output cannot hold something. Default false. */
  readonly strict?: boolean;
  /** Compare every digest. Default true. */
  readonly verify?: boolean;
  /** Follow a lower layer's symlink to a directory where a layer puts files below it, instead of replacing it. Default false. */
  readonly keepDirlinks?: boolean;
  /** Clamp every mtime to this many seconds since 1970. */
  readonly sourceDateEpoch?: number;
  /** Bytes: of the uncompressed layers, and of all files. Default 64 GiB. */
  readonly maxSize?: number;
  /** Entries in all layers. Default 2,000,000. */
  readonly maxEntries?: number;
  /** Where unlinked temporary files go. Default: TMPDIR, else beside the output. */
  readonly tmp?: string;
  /** Abort it to stop; nothing half-made stays. */
  readonly signal?: AbortSignal;
  /** Progress and warnings. */
  readonly onEvent?: (event: Event) => void;
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
  const { input, output, image: name, platform } = options;
  const format = formatOf(output, options.format);
  const context = contextOf(options);
  const sink = await openSink(output, format, {
    force: options.force ?? false,
    strict: options.strict ?? false,
  });
  const choice = {
    ...(name === undefined ? {} : { image: name }),
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
  };
  const image = await openImage(input, choice, context);
  try {
    const { keepDirlinks = false, sourceDateEpoch } = options;
    const clamp = sourceDateEpoch === undefined ? {} : { sourceDateEpoch };
    const tree = await loadTree(image.layers, { keepDirlinks, ...clamp }, context);
    try {
      const { config, digest } = image;
      const known = { ...(config && { config }), ...(digest && { digest }) };
      const artifact = await sink.write({ ...known, rootfs: tree.rootfs, verified: tree.verified }, context);
      return { image: summary(image), format, artifact, seconds: (performance.now() - start) / 1000 };
    } finally {
      tree.close();
    }
  } finally {
    await image.close();
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

function contextOf(options: FlattenOptions): Context {
  const { signal, onEvent, verify = true, maxSize, maxEntries } = options;
  return {
    signal: signal ?? new AbortController().signal,
    tmp: options.tmp ?? temporary(options.output),
    limits: {
      maxSize: maxSize ?? DEFAULT_LIMITS.maxSize,
      maxEntries: maxEntries ?? DEFAULT_LIMITS.maxEntries,
    },
    verify,
    report: onEvent ?? (() => {}),
  };
}

/** The output's own directory has room for the image, as a small /tmp may not; TMPDIR is the user's word and wins. */
function temporary(output: string): string {
  if (process.env.TMPDIR || output === '-') return tmpdir();
  const parent = dirname(resolve(output));
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory()) return parent;
  throw new FlattenError('NOT_FOUND', `${parent}: the output's directory is not there`, {
    hint: `mkdir -p ${parent}`,
  });
}
