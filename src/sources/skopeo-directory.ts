import { createHash } from 'node:crypto';
import type { Digest } from '../oci/digest.js';
import { readIndex } from '../oci/image-index.js';
import { Json } from '../oci/json.js';
import { readManifest } from '../oci/manifest.js';
import type { Envelope } from './envelope.js';

/** A directory as skopeo's transport `dir:` writes it. */
export interface SkopeoDirectory {
  /** An index that lists what `manifest.json` is. */
  readonly index: Json;
  /** Where the blob of a digest may be. */
  readonly places: (digest: Digest) => readonly string[];
}

/**
 * Reads `manifest.json` where it is the image's own manifest, or an index, and the blobs lie beside it by their digests'
 * digits. Undefined where it is something else, `BAD_IMAGE` where the manifest is a broken one.
 * Source: containers/image, directory/directory_transport.go.
 */
export function readSkopeoDirectory(envelope: Envelope): SkopeoDirectory | undefined {
  const { members } = envelope;
  const range = members.find('manifest.json');
  const json = range && envelope.json('manifest.json');
  if (json === undefined || Array.isArray(json.value) || json.missing) return undefined;
  const isIndex = !json.get('manifests').missing;
  if (!saysSo(envelope)) {
    const config = isIndex ? undefined : json.get('config');
    if (config === undefined || config.missing || config.get('digest').missing) return undefined;
    if (!blobPlaces(config.get('digest').digest()).some((place) => members.find(place))) return undefined;
  }
  if (isIndex) readIndex(json);
  else readManifest(json);
  const bytes = envelope.small(range!, 'manifest.json');
  const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const mediaType = json.get('mediaType').optionalString();
  const descriptor = { digest, size: bytes.length, ...(mediaType && { mediaType }) };
  return {
    index: new Json({ manifests: [descriptor] }, 'manifest.json'),
    places: (blob) => (blob === digest ? ['manifest.json'] : blobPlaces(blob)),
  };
}

/** The manifests of an index have an ending; so had layers before version 1.1. */
function blobPlaces(digest: Digest): readonly string[] {
  const [algorithm, digits] = digest.split(':') as [string, string];
  const name = algorithm === 'sha256' ? digits : `${algorithm}-${digits}`;
  return [name, `${name}.manifest.json`, `${name}.tar`];
}

function saysSo(envelope: Envelope): boolean {
  const version = envelope.members.find('version');
  if (version === undefined || version.length > 100) return false;
  return envelope.small(version, 'version').toString('latin1').startsWith('Directory Transport Version: ');
}
