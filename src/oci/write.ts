import type { Digest } from './digest.js';
import type { Fields } from './fields.js';
import { JsonText } from './json-text.js';

/** A blob of an image, as a manifest or an index points to it (image specification, descriptor.md). */
export interface Pointer {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: ReadonlyMap<string, JsonText>;
}

const OCI = 'application/vnd.oci.image';

export const CONFIG_TYPE = `${OCI}.config.v1+json`;
export const MANIFEST_TYPE = `${OCI}.manifest.v1+json`;
export const INDEX_TYPE = `${OCI}.index.v1+json`;

/** The media type of a layer by its compression; undefined for one that the specification has none for. */
export function layerType(compression: string): string | undefined {
  if (compression === 'none') return `${OCI}.layer.v1.tar`;
  return /^(gzip|zstd)$/.test(compression) ? `${OCI}.layer.v1.tar+${compression}` : undefined;
}

/** The bytes of a JSON document: the same for the same value everywhere. See {@link JsonText.of}. */
export function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JsonText.of(value).text, 'utf8');
}

/** An image manifest (manifest.md). */
export function manifest(
  config: Pointer,
  layers: readonly Pointer[],
  annotations: ReadonlyMap<string, string>,
): object {
  const hasSome = annotations.size > 0;
  return { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers, ...(hasSome && { annotations }) };
}

/** An image index (image-index.md). */
export function imageIndex(manifests: readonly Pointer[]): object {
  return { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
}

/** What an index says of an image's platform: the fields of its config that belong there, as they are. */
export function platformOf(config: Fields): ReadonlyMap<string, JsonText> {
  const platform = new Map<string, JsonText>();
  for (const name of ['architecture', 'os', 'os.version', 'os.features', 'variant']) {
    const text = config.get(name);
    if (text?.value) platform.set(name, text);
  }
  return platform;
}
