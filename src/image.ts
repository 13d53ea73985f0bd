import type { Readable } from 'node:stream';
import type { Context } from './context.js';
import { contextOf, type InputOptions, registriesOf, treeOf } from './input.js';
import type { History, HistoryOptions } from './inspect/history.js';
import type { Keep } from './layer/kept.js';
import type { Layer } from './layer/layer.js';
import type { ImageConfig } from './oci/config.js';
import { type Platform, parsePlatform } from './oci/platform.js';
import { originOf } from './origin.js';
import { pathTest } from './rootfs/glob.js';
import type { ClosableImage } from './sources/image.js';
import { openOne } from './sources/open.js';
import { parseInput } from './sources/transport.js';
import { Tree } from './tree.js';

/** Bounds, and what a program that waits wants: each has a default. */
export type RunOptions = Pick<
  InputOptions,
  'signal' | 'onEvent' | 'maxSize' | 'maxEntries' | 'tmp' | 'digests' | 'cache' | 'cacheSize'
>;

/** Which image is opened, and how. */
export type OpenImageOptions = RunOptions &
  Pick<
    InputOptions,
    'reference' | 'platform' | 'rootfsOnly' | 'authfile' | 'insecure' | 'allowForeignLayers'
  >;

/** How an image's layers become a tree. */
export type ImageTreeOptions = Pick<
  InputOptions,
  'keepDirlinks' | 'include' | 'exclude' | 'mkdir' | 'add' | 'addInit' | 'sourceDateEpoch'
> & {
  /** Lower layers that an image output keeps as they are. */
  readonly keep?: Keep;
};

/** An image: its layers, in order, and what is known of it. Close it after its trees. */
export interface Image extends AsyncDisposable, ClosableImage {
  /** The one tree that its layers come to. Throws what is wrong with a layer. */
  tree(options?: ImageTreeOptions): Promise<Tree>;
  /** The same tree, and how the layers have made it: what each did to each path. Throws what `tree` throws. */
  history(options?: HistoryOptions): Promise<History>;
  /** Harmless when done before. */
  close(): Promise<void>;
}

/**
 * Opens an image: a path, a transport and a path as `oci:DIR:TAG`, `docker-daemon:NAME:TAG`, `-` for standard input, or a stream of an archive. Its JSON is read and
 * checked then, no layer is.
 *
 * @example
 * await using image = await openImage('image.tar', { platform: 'linux/arm64' });
 * console.log(image.config?.json, image.layers.length);
 */
export async function openImage(input: string | Readable, options: OpenImageOptions = {}): Promise<Image> {
  const { reference, platform, rootfsOnly } = options;
  const context = contextOf(options);
  const choice = {
    ...(reference && { image: reference }),
    ...(platform && { platform: parsePlatform(platform) }),
  };
  const meant = typeof input === 'string' ? parseInput(input) : input;
  return imageWith(
    await openOne(meant, choice, context, {
      ...(rootfsOnly && { rootfsOnly }),
      registries: registriesOf(options),
    }),
    context,
  );
}

/** What an image of one's own is made of. */
export interface OwnImage {
  readonly name: string;
  /** Base first: `contentLayer()`s, or your own. */
  readonly layers: readonly Layer[];
  readonly config?: ImageConfig;
  readonly platform?: Platform;
  /** Called once, by `close`. */
  readonly close?: () => Promise<void>;
}

/** An image of one's own layers, from wherever they come. */
export function imageOf(own: OwnImage, options: RunOptions = {}): Image {
  const { close = async () => {} } = own;
  return imageWith({ ...own, kind: 'oci', close }, contextOf(options));
}

function imageWith(opened: ClosableImage, context: Context): Image {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= opened.close();
    return closing;
  };
  const origin = originOf(opened);
  return {
    ...opened,
    close,
    [Symbol.asyncDispose]: close,
    async tree(options = {}) {
      pathTest([...(options.include ?? []), ...(options.exclude ?? [])]);
      return new Tree(await treeOf(opened, options, context), opened.layers, origin, context);
    },
    async history(options = {}) {
      const { openHistory } = await import('./inspect/history.js');
      return openHistory(opened, options, context);
    },
  };
}
