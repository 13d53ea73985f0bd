import type { Context } from '../context.js';
import { type ParsedInputOptions, treeOf } from '../input.js';
import { layerNumber } from '../layer/kept.js';
import type { Layer } from '../layer/layer.js';
import type { ImageConfig } from '../oci/config.js';
import type { Digest } from '../oci/digest.js';
import { originOf } from '../origin.js';
import type { File, Node } from '../rootfs/node.js';
import { components } from '../rootfs/path.js';
import { bytesOf } from '../rootfs/path-text.js';
import type { OpenedImage } from '../sources/image.js';
import { Tree } from '../tree.js';
import type { Carried, Lost } from './carried.js';
import { createdBy } from './created-by.js';
import { type LayerCounts, Recorder } from './recorder.js';
import { isRemoval, type Touch } from './touch.js';
import type { Trace, Traces } from './trace.js';

/** How the history of an image is read. */
export interface HistoryOptions extends Pick<ParsedInputOptions, 'keepDirlinks'> {
  /** Up to this layer: its number, counted from 1, the base, or its digest or diffID, of which the first twelve digits do. Default: all. */
  readonly layer?: string;
}

/** A layer, and what it does to the tree of those below it. */
export interface LayerFacts extends Readonly<LayerCounts> {
  /** Counted from 1, the base. */
  readonly number: number;
  readonly digest?: Digest;
  readonly diffID?: Digest;
  /** Bytes as they are stored. */
  readonly size: number;
  /** The command that made it, as the image's history has it. */
  readonly createdBy?: string;
}

/** An image's tree, and how its layers have made it. Nothing but headers was read. Close it before its image. */
export class History implements AsyncDisposable {
  /** As it is after the last layer that was read. */
  readonly tree: Tree;
  /** Base first. */
  readonly layers: readonly LayerFacts[];
  readonly image: Pick<OpenedImage, 'name' | 'kind' | 'digest' | 'platform'> & {
    readonly config?: ImageConfig;
  };
  /** Files with bytes that no inode of their own layer's tree has. */
  readonly lost: readonly Lost[];
  readonly #traces: Traces;
  readonly #carried: ReadonlyMap<File, Carried>;

  constructor(tree: Tree, layers: readonly LayerFacts[], image: OpenedImage, recorder: Recorder) {
    const { name, kind, digest, platform, config } = image;
    this.tree = tree;
    this.layers = layers;
    this.image = {
      name,
      kind,
      ...(digest && { digest }),
      ...(platform && { platform }),
      ...(config && { config }),
    };
    this.#carried = recorder.carried;
    this.lost = recorder.lost;
    this.#traces = recorder.traces;
  }

  /** What the layers did to a path, base first, as {@link Tree.lookup} takes it, symlinks not followed; empty where none ever had it. */
  touches(path: string): readonly Touch[] {
    return this.at(components(bytesOf(path)).join('/'));
  }

  /** The same for a path in latin1, without needless slashes. */
  at(path: string): readonly Touch[] {
    return this.#traces.find(path)?.touches ?? [];
  }

  /** All files with bytes that the layers carry, each inode once, whether they show or not. */
  get carried(): Iterable<Carried> {
    return this.#carried.values();
  }

  /** All names that layers have or had below the root, in no order that counts. */
  get trace(): Trace {
    return this.#traces.root;
  }

  /** What a layer put at a path (latin1, without needless slashes); undefined where it put nothing. */
  placed(path: string, layer: number): Node | undefined {
    return this.at(path).findLast((touch) => touch.layer === layer)?.node;
  }

  /** The number of the layer that gave a path the inode it has, and of the one that gave a directory its metadata; undefined for what is not there. */
  layerOf(path: string): number | undefined {
    return shownBy(this.touches(path))?.layer;
  }

  /** Lets go of the layers. Harmless when done before. */
  close(): Promise<void> {
    return this.tree.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Of what was done to a path, what made that which shows; undefined where nothing shows. */
export function shownBy(touches: readonly Touch[]): Touch | undefined {
  const last = touches.findLast((touch) => !isIdle(touch));
  return last === undefined || isRemoval(last) ? undefined : last;
}

/** Whether a removal found nothing to remove. */
export function isIdle(touch: Touch): boolean {
  return isRemoval(touch) && touch.hid === undefined;
}

/** Loads an image's tree up to a layer, and records how it comes to be; the caller closes it. Throws what is wrong with a layer, and `USAGE` for one that is not there. */
export async function openHistory(
  image: OpenedImage,
  { layer, keepDirlinks = false }: HistoryOptions,
  context: Context,
): Promise<History> {
  const layers = layer === undefined ? image.layers : image.layers.slice(0, layerNumber(image.layers, layer));
  const recorder = new Recorder();
  const loaded = await treeOf({ ...image, layers }, { keepDirlinks, observer: recorder }, context);
  recorder.end();
  const commands = createdBy(image.config, image.layers.length);
  const facts = layers.map((each, index) => factsOf(each, index, commands[index], recorder.layers[index]!));
  const tree = new Tree(loaded, layers, originOf({ ...image, layers }), context);
  return new History(tree, facts, image, recorder);
}

function factsOf(
  { digest, diffID, size }: Layer,
  index: number,
  command: string | undefined,
  counts: LayerCounts,
): LayerFacts {
  return {
    number: index + 1,
    ...(digest && { digest }),
    ...(diffID && { diffID }),
    size,
    ...(command !== undefined && { createdBy: command }),
    ...counts,
  };
}
