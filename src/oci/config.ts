import type { Digest } from './digest.js';
import type { Json } from './json.js';
import { type Platform, readPlatform } from './platform.js';

/** An image config, checked. */
export interface ImageConfig {
  /** Every field as it was, unknown ones too. */
  readonly json: Readonly<Record<string, unknown>>;
  /** The same as JSON text, digit for digit and in its order. */
  readonly text: string;
  readonly platform?: Platform;
  /** Base first; absent in v1 archives. */
  readonly diffIDs?: readonly Digest[];
}

/** Checks an image config (config.md): what flatten reads of it, and that the rest has the shape it must have. */
export function readConfig(json: Json): ImageConfig & { readonly diffIDs: readonly Digest[] } {
  const rootfs = json.get('rootfs');
  const diffIDs = rootfs
    .get('diff_ids')
    .optionalItems()
    .map((item) => item.digest());
  const type = rootfs.get('type');
  if (type.string() !== 'layers') throw type.wrong('"layers"');
  return { ...readV1Config(json), diffIDs };
}

/** Checks the config of a layer as it was before images had a content address: one without `rootfs`. */
export function readV1Config(json: Json): ImageConfig {
  const config = json.get('config');
  if (!config.missing) config.object();
  json
    .get('history')
    .optionalItems()
    .forEach((item) => {
      item.object();
    });
  const platform = readPlatform(json);
  return { json: json.object(), text: json.text.text, ...(platform && { platform }) };
}
