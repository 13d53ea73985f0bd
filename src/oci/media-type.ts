/** The media types of the OCI image specification and of Docker's registry, which mix freely in one image. */
const INDEXES = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]);

const MANIFESTS = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]);

const CONFIGS = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
]);

export function isIndexType(mediaType: string): boolean {
  return INDEXES.has(mediaType);
}

export function isManifestType(mediaType: string): boolean {
  return MANIFESTS.has(mediaType);
}

export function isConfigType(mediaType: string): boolean {
  return CONFIGS.has(mediaType);
}

/** Whether a blob of this type can be a layer. How it is compressed is for its first bytes to say, not for its type. */
export function isLayerType(mediaType: string): boolean {
  return /[./]tar(?![a-z])|x-gtar|^application\/octet-stream$|^$/.test(mediaType);
}

/** Layers that their makers forbid to pass on: an archive may leave out their blobs. */
export function isForeignType(mediaType: string): boolean {
  return /\.(nondistributable|foreign)\./.test(mediaType);
}

/** Layers encrypted by ocicrypt, which says so by a suffix. */
export function isEncryptedType(mediaType: string): boolean {
  return mediaType.endsWith('+encrypted');
}
