import { createHash } from 'node:crypto';
import { FlattenError } from '../errors.js';
import { tarLayer } from '../layer/tar-layer.js';
import { readConfig } from '../oci/config.js';
import { type Digest, short } from '../oci/digest.js';
import type { Json } from '../oci/json.js';
import { shown, shownLayers } from '../oci/shown.js';
import { type Candidate, COUNT_LIMIT, choose } from './choose.js';
import type { Envelope } from './envelope.js';
import type { Choice, OpenedImage } from './image.js';
import { layerName } from './layer-name.js';

/** One image of a `manifest.json`, as `docker save` writes it since Docker 1.10. */
export interface SavedImage {
  /** Path within the archive. */
  readonly config: string;
  /** Paths, base first; one may come twice. */
  readonly layers: readonly string[];
  readonly names: readonly string[];
}

/** Reads `manifest.json`; undefined where there is none, `BAD_IMAGE` where it is of another shape. */
export function readSavedImages(envelope: Envelope): readonly SavedImage[] | undefined {
  const json = envelope.json('manifest.json');
  if (json === undefined) return undefined;
  const items = json.items();
  if (items.length > COUNT_LIMIT) {
    throw new FlattenError('LIMIT', `manifest.json: lists more than ${COUNT_LIMIT} images`);
  }
  const images = items.map(readSavedImage);
  if (images.length === 0) throw new FlattenError('BAD_IMAGE', 'manifest.json: lists no image');
  return images;
}

function readSavedImage(json: Json): SavedImage {
  return {
    config: json.get('Config').string(),
    layers: strings(json.get('Layers')),
    names: strings(json.get('RepoTags')),
  };
}

function strings(json: Json): string[] {
  return json.optionalItems().map((item) => item.string());
}

/** Opens the image that `choice` means among those of a `manifest.json`. Its digest is its config's: Docker's image ID. */
export function openDockerArchive(
  envelope: Envelope,
  images: readonly SavedImage[],
  choice: Choice,
): OpenedImage {
  const { image, names } = choose(candidates(envelope, images), choice, envelope.name);
  const { digest, config } = savedConfig(envelope, image.config);
  const { platform, diffIDs } = config;
  const count = image.layers.length;
  if (diffIDs.length !== count) {
    throw new FlattenError(
      'BAD_IMAGE',
      `${shown(names[0] ?? digest)}: manifest.json lists ${shownLayers(count)}, its config ${shownLayers(diffIDs.length)}`,
    );
  }
  return {
    name: names[0] ?? short(digest),
    kind: 'docker-archive',
    digest,
    ...(platform && { platform }),
    config,
    layers: image.layers.map((path, index) => {
      const diffID = diffIDs[index]!;
      const name = layerName(index, count, diffID);
      return tarLayer({ name, blob: envelope.need(path, name), diffID, bounds: envelope.bounds });
    }),
  };
}

interface SavedCandidate extends Candidate {
  readonly image: SavedImage;
}

/** What is wrong with a config is said only when its image is the one that is meant. */
function candidates(envelope: Envelope, images: readonly SavedImage[]): SavedCandidate[] {
  return images.map((image) => {
    const { names } = image;
    try {
      const { digest, config } = savedConfig(envelope, image.config);
      const { platform } = config;
      return { names, digests: [digest], image, ...(platform && { platform }) };
    } catch (error) {
      if (!(error instanceof FlattenError) || error.code === 'LIMIT') throw error;
      return { names, digests: [], image, error };
    }
  });
}

function savedConfig(envelope: Envelope, path: string) {
  const range = envelope.need(path);
  return envelope.once(range, 'config', () => {
    const bytes = envelope.small(range, shown(path));
    const digest: Digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    return { digest, config: readConfig(envelope.parse(bytes, shown(path))) };
  });
}
