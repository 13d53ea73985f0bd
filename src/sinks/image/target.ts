import type { RegistryOptions } from '../../registry/open.js';
import type { SinkOptions } from '../sink.js';
import type { ImageForm } from './form.js';
import type { LayerStore } from './store.js';

/** Where an image is put together, and how it gets from there to where it is wanted. */
export interface Target {
  readonly layers: LayerStore;
  readonly form: ImageForm;
  /** Hands over what is finished. */
  publish(): Promise<void>;
  /** Takes away what was not published; harmless after. Never throws. */
  discard(): Promise<void>;
}

/** How an image gets to where it is wanted. */
export interface TargetOptions extends SinkOptions {
  readonly registries?: RegistryOptions;
}
