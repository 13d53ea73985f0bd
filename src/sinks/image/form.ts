import type { Digest } from '../../oci/digest.js';
import type { Fields } from '../../oci/fields.js';
import type { LayerSums } from './layer.js';
import type { Blob } from './store.js';

/** A layer in its store. */
export interface WrittenLayer extends LayerSums {
  readonly blob: Blob;
  /** How errors name it. */
  readonly label: string;
}

/** An image whose layers are written and whose config is made. */
export interface SquashedImage {
  readonly config: Fields;
  /** Base first. */
  readonly layers: readonly WrittenLayer[];
  readonly annotations: ReadonlyMap<string, string>;
}

/** A form of image archive: which files there are and what they say. */
export interface ImageForm {
  /** Called for each layer right after it was written. */
  layer(layer: WrittenLayer): Promise<void>;
  /** Called for each image after its layers. */
  image(image: SquashedImage): Promise<void>;
  /** Writes what speaks of all images; gives the digest that the result goes by. */
  finish(): Promise<Digest>;
}
