import type { Context } from '../../context.js';
import { withEngineHint } from '../../engine/trouble.js';
import type { Layer } from '../../layer/layer.js';
import { Losses } from '../../losses.js';
import type { Change } from '../../oci/change.js';
import type { Fields } from '../../oci/fields.js';
import { linuxOn, type Platform } from '../../oci/platform.js';
import { formatRegistryReference, type RegistryReference } from '../../oci/registry-reference.js';
import { shownLayers } from '../../oci/shown.js';
import { squashConfig } from '../../oci/squash.js';
import type { RegistryOptions } from '../../registry/open.js';
import { layerTree } from '../../rootfs/layer-tree.js';
import type { Rootfs } from '../../rootfs/node.js';
import { eachName } from '../../rootfs/walk.js';
import type { WriteBytes } from '../archive/writer.js';
import { refuseZeros } from '../archive/zeros.js';
import type { ImageOutput } from '../output.js';
import { outputError } from '../output-error.js';
import type { Artifact, Flattened, SinkOptions } from '../sink.js';
import type { WrittenLayer } from './form.js';
import { copyLayer, keptSums, type LayerCompression, type LayerSums, writeLayer } from './layer.js';
import type { ImageFormat } from './location.js';
import { openTarget } from './open-target.js';
import type { Target } from './target.js';

/** What an image can be asked for besides its form. */
export interface ParsedImageOptions {
  /** Of the new layer. Default: {@link usualCompression}. */
  readonly compression?: LayerCompression;
  /** Carried out on the config, in this order. */
  readonly changes?: readonly Change[];
  /** Of the new entry in the history, and of the image. */
  readonly author?: string;
  readonly message?: string;
  /** For a bare rootfs. Default: this machine's, as linux. */
  readonly platform?: Platform;
  /** How the registry is spoken with that the image goes to. */
  readonly registries?: RegistryOptions;
}

export interface ImageSinkOptions extends SinkOptions, ParsedImageOptions {
  /** Seconds since 1970: when the image was created. Default: when its source was. */
  readonly sourceDateEpoch?: number;
}

/** An image output in the making. */
export interface ImageWriter {
  /** Adds an image; resolves when its tree is not read any more and what it was read from was verified. OCI outputs hold several, one a platform. */
  add(flattened: Flattened, context: Context): Promise<void>;
  /** Completes the output and puts it in its place. */
  publish(): Promise<Artifact>;
  /** Leaves nothing behind; harmless after `publish`. Never throws. */
  discard(): Promise<void>;
}

/** The annotation of a manifest that says which image it was made from. */
const SOURCE_ANNOTATION = 'flatten.source.digest';

/** Throws what {@link openTarget} throws. */
export async function openImageWriter(
  output: ImageOutput,
  options: ImageSinkOptions,
  context: Context,
): Promise<ImageWriter> {
  const target = await openTarget(output.location, options, context).catch((error: unknown) => {
    throw outputError(error, output.text);
  });
  return new Writer(output, target, options);
}

/**
 * How a new layer is compressed unless somebody says. Engines that pull an uncompressed layer keep it as it is, here and wherever
 * they push it to; `docker save` and `docker load` know nothing but uncompressed ones.
 */
function usualCompression(format: ImageFormat): LayerCompression {
  return { kind: ['oci', 'oci-archive', 'registry'].includes(format) ? 'gzip' : 'none' };
}

class Writer implements ImageWriter {
  readonly #output: string;
  readonly #reference: RegistryReference | undefined;
  readonly #target: Target;
  readonly #options: ImageSinkOptions;
  readonly #usual: LayerCompression;
  readonly #losses: Losses;
  #entries = 0;
  #usesZstd = false;

  constructor({ text, location }: ImageOutput, target: Target, options: ImageSinkOptions) {
    this.#output = text;
    this.#reference = location.reference;
    this.#usual = usualCompression(location.format);
    this.#target = target;
    this.#options = options;
    this.#losses = new Losses(options);
  }

  async add(flattened: Flattened, context: Context): Promise<void> {
    const { rootfs, base, verified } = flattened;
    // Verification may still run: what it refuses is not worth writing on.
    const refused = new AbortController();
    verified.catch((error: unknown) => refused.abort(error));
    const watched = { ...context, signal: AbortSignal.any([context.signal, refused.signal]) };
    const { compression = this.#usual } = this.#options;
    try {
      const tree = layerTree(rootfs, base?.root);
      refuseZeros(tree.rootfs, { sparse: false }, flattened.bounds);
      if (tree.hidden.count > 0) this.#losses.merge([{ kind: 'xattr', ...tree.hidden, reason: HIDDEN }]);
      const layers: WrittenLayer[] = [];
      for (const layer of base?.layers ?? []) layers.push(await this.#kept(layer, verified, watched));
      const begun = await this.#written('the new layer', (put) =>
        writeLayer(tree, put, compression, watched),
      );
      await verified;
      layers.push(await this.#named(begun));
      const config = this.#config(flattened, layers);
      await this.#target.form.image({ config, layers, annotations: annotationsOf(flattened) });
      this.#entries += rootfs.entries;
    } catch (error) {
      if (refused.signal.aborted && !context.signal.aborted) await verified;
      throw outputError(error, this.#output);
    }
  }

  async publish(): Promise<Artifact> {
    try {
      const { form, layers } = this.#target;
      const digest = await form.finish();
      await this.#target.publish();
      return {
        output: this.#output,
        entries: this.#entries,
        bytes: layers.bytes,
        digest,
        ...(this.#reference && { reference: formatRegistryReference({ ...this.#reference, digest }) }),
        losses: this.#losses.list(),
      };
    } catch (error) {
      throw withEngineHint(outputError(error, this.#output), { usesZstd: this.#usesZstd });
    }
  }

  async discard(): Promise<void> {
    await this.#target.discard();
  }

  /** A layer of the source. What is copied is compared on the way; what is sent from where it lies must have been before. */
  async #kept(layer: Layer, verified: Promise<void>, context: Context): Promise<WrittenLayer> {
    const { name: label } = layer;
    const { layers } = this.#target;
    if (layers.keep === undefined)
      return this.#named(await this.#written(label, (put) => copyLayer(layer, put, context)));
    await verified;
    return this.#named({ ...(await keptSums(layer, context)), blob: layers.keep(layer), label });
  }

  async #written(label: string, write: (put: WriteBytes) => Promise<LayerSums>): Promise<WrittenLayer> {
    await using begun = await this.#target.layers.begin();
    const sums = await write(begun.write);
    return { ...sums, blob: await begun.end(), label };
  }

  async #named(layer: WrittenLayer): Promise<WrittenLayer> {
    this.#usesZstd ||= layer.compression === 'zstd';
    await this.#target.form.layer(layer);
    return layer;
  }

  #config(flattened: Flattened, layers: readonly WrittenLayer[]): Fields {
    const { config, image, rootfs, base } = flattened;
    const { author, message, changes = [], sourceDateEpoch, platform } = this.#options;
    const created =
      sourceDateEpoch === undefined ? undefined : time(BigInt(sourceDateEpoch) * 1_000_000_000n);
    return squashConfig(config, {
      diffIDs: layers.map(({ diffID }) => diffID),
      kept: base?.layers.length ?? 0,
      layers: image?.layers ?? 1,
      createdBy: createdBy(flattened),
      ...(created !== undefined && { created }),
      createdElse: () => time(newest(rootfs)),
      ...(author !== undefined && { author }),
      ...(message !== undefined && { message }),
      platform: image?.platform ?? platform ?? (config ? OLDEST : linuxOn(process.arch)),
      changes,
    });
  }
}

const HIDDEN = 'trusted.overlay.*: layers are shown by overlayfs, which keeps these to itself';

/** Docker ran on nothing else when images did not say what they run on. */
const OLDEST: Platform = { os: 'linux', architecture: 'amd64' };

function annotationsOf({ image, digest }: Flattened): ReadonlyMap<string, string> {
  return new Map([...(image?.annotations ?? []), ...(digest ? [[SOURCE_ANNOTATION, digest] as const] : [])]);
}

/** Says what was flattened, by what does not change from one machine to the next. */
function createdBy({ config, image, digest, base }: Flattened): string {
  if (config === undefined) return 'flatten: a root filesystem';
  const { layers = 1 } = image ?? {};
  const first = (base?.layers.length ?? 0) + 1;
  const which = first === 1 ? shownLayers(layers) : `layers ${first} to ${layers}`;
  return `flatten: ${which}${digest ? ` of ${digest}` : ''}`;
}

/** The newest of a tree's mtimes: a time that the same tree always has. */
function newest({ root }: Rootfs): bigint {
  let latest = 0n;
  eachName(root, ({ meta: { mtime } }) => {
    if (mtime > latest) latest = mtime;
  });
  return latest;
}

/** RFC 3339, in whole seconds; what lies behind the year 9999 is cut to it. */
function time(nanoseconds: bigint): string {
  const seconds = Math.min(Number(nanoseconds / 1_000_000_000n), 253_402_300_799);
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
