import type { Digest } from './digest.js';
import type { Platform } from './platform.js';

/** An image config, checked. */
export interface ImageConfig {
  /** Every field as it was, unknown ones too. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly platform?: Platform;
  /** Base first; absent in v1 archives. */
  readonly diffIDs?: readonly Digest[];
}
