import { type Codec, MAX_LEVEL } from './compression/block.js';
import type { Context } from './context.js';
import { FlattenError } from './errors.js';
import { type InputOptions, type ParsedInputOptions, registriesOf, withTree } from './input.js';
import type { Keep } from './layer/kept.js';
import type { LoadedTree } from './load-tree.js';
import { Losses } from './losses.js';
import { parseChanges } from './oci/change.js';
import { parsePlatform } from './oci/platform.js';
import { originOf } from './origin.js';
import type { ImageSinkOptions, ParsedImageOptions } from './sinks/image.js';
import type { ImageOutput } from './sinks/output.js';
import type { Artifact, Flattened } from './sinks/sink.js';
import { withLosses } from './sinks/sink.js';
import type { OpenedImage } from './sources/image.js';

/** What an image that is written can be asked for. */
export interface ImageOptions extends Keep {
  /** Instructions, as `docker import --change` takes them: `CMD ["/bin/sh"]`. */
  readonly changes?: readonly string[];
  /** The comment of the image, and of its new entry in the history. */
  readonly message?: string;
  readonly author?: string;
  /** Of the new layer: `none`, `gzip`, `zstd`, or one of these with a level, as `gzip:9`. Default: `none` for docker-archive and docker-daemon, else `gzip`. */
  readonly compression?: string;
}

/** Reads the options of an image output. Throws `USAGE`. `platform` is for a bare rootfs, which names none. */
export function parseImageOptions(
  options: ImageOptions,
  { platform, ...registries }: Pick<InputOptions, 'platform' | 'authfile' | 'insecure'>,
): ParsedImageOptions {
  const { changes = [], message, author, compression } = options;
  return {
    changes: parseChanges(changes),
    ...(message !== undefined && { message }),
    ...(author !== undefined && { author }),
    ...(compression !== undefined && { compression: parseCompression(compression) }),
    ...(platform !== undefined && platform !== 'all' && { platform: parsePlatform(platform) }),
    registries: registriesOf(registries),
  };
}

function parseCompression(text: string): NonNullable<ParsedImageOptions['compression']> {
  const [, kind = '', level] = /^(none|gzip|zstd)(?::(\d{1,2}))?$/.exec(text) ?? [];
  if (level === undefined && kind !== '') return { kind: kind as 'none' | Codec };
  const isLevel = kind in MAX_LEVEL && Number(level) >= 1 && Number(level) <= MAX_LEVEL[kind as Codec];
  if (isLevel) return { kind: kind as Codec, level: Number(level) };
  const levels = Object.entries(MAX_LEVEL).map(([codec, most]) => `${codec}, ${codec}:1 to ${codec}:${most}`);
  throw new FlattenError('USAGE', `{compression: ${text}}: unknown`, {
    hint: ['none', ...levels].join(', '),
  });
}

/** What a sink is told of an image and its tree. */
export function flattenedOf(image: OpenedImage, { rootfs, base, verified }: LoadedTree): Flattened {
  return { ...originOf(image), rootfs, ...(base && { base }), verified };
}

/** Writes several images to one output, a tree at a time. */
export async function writeEvery(
  images: readonly OpenedImage[],
  output: ImageOutput,
  input: ParsedInputOptions,
  sink: ImageSinkOptions,
  context: Context,
): Promise<Artifact> {
  const { openImageWriter } = await import('./sinks/image.js');
  const writer = await openImageWriter(output, sink, context);
  const losses = new Losses(sink);
  try {
    for (const image of images)
      await withTree(image, input, context, (tree) => {
        losses.merge(tree.losses);
        return writer.add(flattenedOf(image, tree), context);
      });
    return withLosses(await writer.publish(), losses);
  } finally {
    await writer.discard();
  }
}
