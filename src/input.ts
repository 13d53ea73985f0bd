import { tmpdir } from 'node:os';
import { cachePath, DEFAULT_CACHE_SIZE } from './cache/settings.js';
import { type Context, DEFAULT_LIMITS, type RunEvent } from './context.js';
import { FlattenError } from './errors.js';
import { type Keep, keptLayers } from './layer/kept.js';
import type { Layer } from './layer/layer.js';
import { type LoadedTree, type LoadObserver, loadTree } from './load-tree.js';
import { parsePlatform } from './oci/platform.js';
import type { RegistryOptions } from './registry/open.js';
import { pathTest } from './rootfs/glob.js';
import type { MadeDirectory } from './rootfs/make-directory.js';
import type { Directory } from './rootfs/node.js';
import { locate } from './sinks/staging/place.js';
import { type AddedDirectory, addedLayer } from './sources/added.js';
import type { OpenedImage } from './sources/image.js';
import { openImages } from './sources/open.js';
import type { Input } from './sources/transport.js';
import { parseInitPath } from './start/init-path.js';

/** Which image is read, how, and what is changed in its tree. */
export interface InputOptions {
  /** An archive, a layout directory, a rootfs (tar or directory), `-` for standard input, one of these behind a transport as `oci:DIR:TAG`, `docker-daemon:NAME:TAG`, or `https://HOST/FILE[#DIGEST]`. */
  readonly input: string;
  /** Refuse an input that is an image: a root filesystem is wanted. Default false, which tells them apart by what is in them. */
  readonly rootfsOnly?: boolean;
  /** Which image, where the input holds several: `NAME[:TAG]` or a digest. */
  readonly reference?: string;
  /** `os/arch[/variant]`, or `all` where the output holds several images. Default: this machine's, as linux. */
  readonly platform?: string;
  /** The only file that credentials for registries are looked for in. Default: the files of containers' tools and of Docker. */
  readonly authfile?: string;
  /** Registries (`HOST[:PORT]`) that may speak plain http, and have any certificate. */
  readonly insecure?: readonly string[];
  /** Fetch a layer that a registry does not have from the https addresses that its image names. Default false. */
  readonly allowForeignLayers?: boolean;
  /** Compare every digest. Default true. */
  readonly digests?: boolean;
  /** Follow a lower layer's symlink to a directory where a layer puts files below it, instead of replacing it. Default false. */
  readonly keepDirlinks?: boolean;
  /** Globs: keep only these, with what is below them and the directories that lead there. */
  readonly include?: readonly string[];
  /** Globs: leave these out, with what is below them. */
  readonly exclude?: readonly string[];
  /** Directories that are made in the tree, as `mkdir -p` does, before anything is added. */
  readonly mkdir?: readonly MadeDirectory[];
  /** Host directories that are put on top, in this order. A directory never takes the place of anything else, or the other way round. */
  readonly add?: readonly AddedDirectory[];
  /**
   * Put a shell script into the tree that starts the image as a machine, as its first process: at this path; true is for
   * `/sbin/flatten-init`. The directories that it mounts on are made, too. Default: none.
   */
  readonly addInit?: string | boolean;
  /** Clamp every mtime to this many seconds since 1970. */
  readonly sourceDateEpoch?: number;
  /** Bytes: of the uncompressed layers, and of all files. Default 64 GiB, and to unpack 1,100 times the input's size and 1 GiB. */
  readonly maxSize?: number;
  /** Entries in all layers. Default 2,000,000, and 150,000 and one for each 8 bytes of the input. */
  readonly maxEntries?: number;
  /** Where unlinked temporary files go. Default: TMPDIR, else beside the output, else the system's directory for them. */
  readonly tmp?: string;
  /** A directory where downloaded blobs are kept for other runs; `none` is for none. Default: FLATTEN_CACHE, else `flatten` in XDG_CACHE_HOME or `~/.cache`. */
  readonly cache?: string;
  /** Bytes that the cache may keep. Default 20 GB. */
  readonly cacheSize?: number;
  /** Abort it to stop; nothing half-made stays. */
  readonly signal?: AbortSignal;
  /** Progress and warnings. */
  readonly onEvent?: (event: RunEvent) => void;
}

/** The same once the input is taken apart, and what only some commands ask of it. */
export interface ParsedInputOptions extends Omit<InputOptions, 'input'> {
  readonly input: Input;
  /** Lower layers to keep; the tree's `base` is theirs. */
  readonly keep?: Keep;
  /** Is told how the tree comes to be. */
  readonly observer?: LoadObserver;
}

/** An image that is open, and its tree. */
export interface LoadedInput {
  readonly image: OpenedImage;
  readonly tree: LoadedTree;
  readonly context: Context;
}

/** Opens the image, loads its tree, lets `use` work with both, and closes them whatever happens. `output` is where it will go. */
export async function withInput<T>(
  options: ParsedInputOptions,
  output: string | undefined,
  use: (input: LoadedInput) => Promise<T>,
): Promise<T> {
  if (options.platform === 'all')
    throw new FlattenError(
      'USAGE',
      '{platform: all}: only an OCI layout or archive, or a registry, holds several images',
      {
        hint: '{output: oci:DIR}, {output: oci-archive:FILE} or {output: docker://NAME}',
      },
    );
  return withImages(options, output, ([image], context) =>
    withTree(image!, options, context, (tree) => use({ image: image!, tree, context })),
  );
}

/** Opens the images that are meant, with the platform `all` one for each, lets `use` work with them, and closes them whatever happens. */
export async function withImages<T>(
  options: ParsedInputOptions,
  output: string | undefined,
  use: (images: readonly OpenedImage[], context: Context) => Promise<T>,
): Promise<T> {
  const { input, reference, platform, include = [], exclude = [], addInit } = options;
  pathTest([...include, ...exclude]); // a glob that makes no sense is refused before anything is read
  if (addInit) parseInitPath(addInit);
  const context = contextOf(options, output);
  const choice = {
    ...(reference !== undefined && { image: reference }),
    ...(platform === 'all'
      ? { everyPlatform: true }
      : platform !== undefined && { platform: parsePlatform(platform) }),
  };
  const opened = await openImages(input, choice, context, {
    ...(output !== undefined && { exclude: [output] }),
    ...(options.rootfsOnly && { rootfsOnly: true }),
    registries: registriesOf(options),
  });
  try {
    return await use(opened.images, context);
  } finally {
    await opened.close();
  }
}

/** What is said of registries. */
export function registriesOf({
  authfile,
  insecure,
  allowForeignLayers,
}: Pick<InputOptions, 'authfile' | 'insecure' | 'allowForeignLayers'>): RegistryOptions {
  return {
    ...(authfile !== undefined && { authfile }),
    ...(insecure && { insecure }),
    ...(allowForeignLayers && { allowForeignLayers }),
  };
}

/** Loads an image's tree, lets `use` work with it, and closes it whatever happens. */
export async function withTree<T>(
  image: OpenedImage,
  options: ParsedInputOptions,
  context: Context,
  use: (tree: LoadedTree) => Promise<T>,
): Promise<T> {
  const tree = await treeOf(image, options, context);
  try {
    return await use(tree);
  } finally {
    tree.close();
  }
}

/** Loads an image's tree; the caller closes it. */
export async function treeOf(
  image: Pick<OpenedImage, 'name' | 'layers' | 'config'>,
  options: Omit<ParsedInputOptions, 'input'>,
  context: Context,
): Promise<LoadedTree> {
  const { layers } = image;
  const keep = options.keep && keptLayers(layers, options.keep);
  if (keep && options.keepDirlinks)
    throw new FlattenError('USAGE', '{keepDirlinks}: layers that are kept cannot be read in another way');
  const { observer, addInit } = options;
  const complete = addInit ? initOf(image, addInit, options) : undefined;
  const more = { ...(keep && { keep }), ...(observer && { observer }), ...(complete && { complete }) };
  return loadTree(layers, { ...treeOptions(options), ...more }, context);
}

/** What completes a tree with the script that starts it. Throws `USAGE` for a path that makes no sense, and an image without a config. */
function initOf(
  { name, config }: Pick<OpenedImage, 'name' | 'config'>,
  asked: string | true,
  { sourceDateEpoch = 0 }: Pick<InputOptions, 'sourceDateEpoch'>,
): (root: Directory) => Promise<readonly Layer[]> {
  const path = parseInitPath(asked);
  if (config === undefined)
    throw new FlattenError('USAGE', `{addInit}: ${name} has no config, which says what is started`, {
      hint: 'give it one first: flatten import makes an image of it, with {changes: CMD ["/bin/app"]}',
    });
  return async (root) => {
    // Most runs make no script: they do without the code.
    const { initLayer } = await import('./start/init-layer.js');
    return [initLayer(path, config, root, BigInt(sourceDateEpoch) * 1_000_000_000n)];
  };
}

function treeOptions(options: Omit<InputOptions, 'input'>) {
  const { keepDirlinks = false, include, exclude, mkdir, add = [], sourceDateEpoch } = options;
  return {
    keepDirlinks,
    ...(include && { include }),
    ...(exclude && { exclude }),
    ...(mkdir && { mkdir }),
    add: add.map(addedLayer),
    ...(sourceDateEpoch !== undefined && { sourceDateEpoch }),
  };
}

/** What every step of a run shares; `output` is where it will go. */
export function contextOf(options: Omit<InputOptions, 'input'>, output?: string): Context {
  const { signal, onEvent, digests = true, maxSize, maxEntries, cacheSize = DEFAULT_CACHE_SIZE } = options;
  const path = cachePath(options.cache);
  return {
    signal: signal ?? new AbortController().signal,
    tmp: options.tmp ?? temporary(output),
    limits: {
      maxSize: maxSize ?? DEFAULT_LIMITS.maxSize,
      maxEntries: maxEntries ?? DEFAULT_LIMITS.maxEntries,
      named: [
        ...(maxSize === undefined ? [] : (['maxSize'] as const)),
        ...(maxEntries === undefined ? [] : (['maxEntries'] as const)),
      ],
    },
    cache: { ...(path !== undefined && { path }), size: cacheSize },
    traffic: { fetched: 0, cached: 0 },
    digests,
    report: onEvent ?? (() => {}),
  };
}

/** The output's own directory has room for the image, as a small /tmp may not; TMPDIR is the user's word and wins. */
function temporary(output: string | undefined): string {
  if (process.env.TMPDIR || output === undefined || output === '-') return tmpdir();
  return locate(output).parent;
}
