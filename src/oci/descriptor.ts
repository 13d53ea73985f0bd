import { FlattenError } from '../errors.js';
import type { Digest } from './digest.js';
import type { Json } from './json.js';
import { type Platform, readPlatform } from './platform.js';

/** A pointer to a blob (image specification, descriptor.md). */
export interface Descriptor {
  /** Empty where the descriptor has none. */
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** Where else the blob can be had. */
  readonly urls: readonly string[];
  readonly annotations: ReadonlyMap<string, string>;
  readonly platform?: Platform;
  /** The kind of artifact a manifest is, where its index says so. */
  readonly artifactType?: string;
  /** The blob itself. */
  readonly data?: Buffer;
}

/** Checks a descriptor. Annotations that are no strings are left out. */
export function readDescriptor(json: Json): Descriptor {
  const platform = json.get('platform');
  const read = platform.missing ? undefined : readPlatform(platform);
  const artifactType = json.get('artifactType').optionalString();
  const data = readData(json.get('data'));
  return {
    mediaType: json.get('mediaType').optionalString() ?? '',
    digest: json.get('digest').digest(),
    size: json.get('size').size(),
    urls: json
      .get('urls')
      .optionalItems()
      .map((url) => url.string()),
    annotations: readAnnotations(json.get('annotations')),
    ...(read && { platform: read }),
    ...(artifactType && { artifactType }),
    ...(data && { data }),
  };
}

export function readAnnotations(json: Json): ReadonlyMap<string, string> {
  const annotations = new Map<string, string>();
  for (const [key, field] of json.fields()) {
    if (typeof field.value === 'string') annotations.set(key, field.value);
  }
  return annotations;
}

function readData(json: Json): Buffer | undefined {
  const text = json.optionalString();
  if (text === undefined) return undefined;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new FlattenError('BAD_IMAGE', `${json.at}: is not base64`);
  return Buffer.from(text, 'base64');
}
