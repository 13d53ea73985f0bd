import type { Context } from '../context.js';
import { FlattenError } from '../errors.js';
import type { ByteRange } from '../host/bytes.js';
import { writeAll } from '../host/bytes.js';
import { unlinkedFile } from '../host/unlinked-file.js';
import type { Layer } from '../layer/layer.js';
import { tarLayer } from '../layer/tar-layer.js';
import { readConfig } from '../oci/config.js';
import type { Descriptor } from '../oci/descriptor.js';
import { short } from '../oci/digest.js';
import { readIndex } from '../oci/image-index.js';
import type { Json } from '../oci/json.js';
import { readManifest } from '../oci/manifest.js';
import { isForeignType } from '../oci/media-type.js';
import { shown } from '../oci/shown.js';
import { choose, chooseAll } from './choose.js';
import type { Envelope } from './envelope.js';
import type { Choice, OpenedImage } from './image.js';
import { type Blobs, blobPath } from './oci-blobs.js';
import { listCandidates, type OciCandidate } from './oci-candidates.js';
import { type DescribedLayer, ociImage } from './oci-image.js';

/** The version of layouts that the specification has (image-layout.md). */
const LAYOUT_VERSION = '1.0.0';

/** Reads `index.json` of an OCI layout; undefined where there is none, `BAD_IMAGE` where it is of another shape, `UNSUPPORTED` where the layout is. */
export function readLayout(envelope: Envelope): Json | undefined {
  const version = envelope.json('oci-layout')?.get('imageLayoutVersion');
  if (version !== undefined && !version.missing && version.value !== LAYOUT_VERSION) {
    throw new FlattenError(
      'UNSUPPORTED',
      `${envelope.name}: is an OCI layout of version ${shown(String(version.value))}, and only ${LAYOUT_VERSION} is known`,
    );
  }
  const index = envelope.json('index.json');
  if (index === undefined) return undefined;
  readIndex(index);
  return index;
}

/** Opens the image that `choice` means among those that an index leads to, or those for all platforms. Its digest is its manifest's. */
export function openLayout(
  blobs: Blobs,
  index: Json,
  choice: Choice,
  context: Context,
): readonly OpenedImage[] {
  const candidates = listCandidates(blobs, index);
  const { name } = blobs.envelope;
  const chosen = choice.everyPlatform
    ? chooseAll(candidates, choice, name)
    : [choose(candidates, choice, name)];
  return chosen.map((candidate) => openCandidate(blobs, candidate, context));
}

function openCandidate(blobs: Blobs, chosen: OciCandidate, context: Context): OpenedImage {
  const { digest } = chosen.descriptor!;
  const manifest = readManifest(blobs.json(chosen.descriptor!, 'manifest'));
  const config = readConfig(blobs.json(manifest.config, 'config'));
  const { platform, names } = chosen;
  const parts = { name: names[0] ?? short(digest), digest, manifest, config, ...(platform && { platform }) };
  return ociImage(parts, (layer) => openLayer(blobs, layer, context));
}

function openLayer(blobs: Blobs, { descriptor, ...layer }: DescribedLayer, context: Context): Layer {
  const { data } = descriptor;
  const blob = blobs.find(descriptor) ?? (data && unpackData(blobs, data, context));
  if (blob === undefined) throw absent(blobs, descriptor);
  return tarLayer({ ...layer, blob, bounds: blobs.envelope.bounds });
}

/** A layer that its descriptor carries whole. */
function unpackData(blobs: Blobs, data: Buffer, context: Context): ByteRange {
  const fd = unlinkedFile(context.tmp);
  blobs.envelope.hold(fd);
  writeAll(fd, data, 0);
  return { fd, offset: 0, length: data.length };
}

function absent(blobs: Blobs, { digest, mediaType, urls }: Descriptor): FlattenError {
  const from = urls.length === 0 ? 'nowhere named' : urls.map(shown).join(' or ');
  const why = isForeignType(mediaType)
    ? `is a foreign layer (${mediaType}), to be had from ${from}: its blob`
    : urls.length > 0
      ? `is to be had from ${from}: its blob`
      : 'its blob';
  return new FlattenError('NOT_FOUND', `${why} ${blobPath(digest)} is not in ${blobs.envelope.name}`);
}
