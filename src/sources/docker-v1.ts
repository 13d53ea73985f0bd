import { FlattenError } from '../errors.js';
import { tarLayer } from '../layer/tar-layer.js';
import { readV1Config } from '../oci/config.js';
import { Fields } from '../oci/fields.js';
import { type Json, jsonOf } from '../oci/json.js';
import { type Candidate, COUNT_LIMIT, choose } from './choose.js';
import type { Envelope } from './envelope.js';
import type { Choice, OpenedImage } from './image.js';
import { layerName } from './layer-name.js';

/** The layers an image may have; Docker's storage drivers take 125 or so. */
const DEPTH_LIMIT = 1000;

/** What a v1 layer's `json` says of the layer alone: no part of an image's config (Docker's own migration drops these). */
const OF_THE_LAYER = ['id', 'parent', 'parent_id', 'layer_id', 'Size', 'throwaway'];

const ID = /^[0-9a-f]{64}$/;

/** Names of an image, by the id of its top layer. */
export type V1Images = ReadonlyMap<string, readonly string[]>;

/**
 * Finds the images of an archive as `docker save` wrote it before Docker 1.10: `repositories` names the top layer of
 * each, and `<id>/{VERSION,json,layer.tar}` is a layer. Layers that nothing names and nothing builds on are images
 * too, without a name. Undefined where there is no such thing, `BAD_IMAGE` where `repositories` is of another shape.
 */
export function findV1Images(envelope: Envelope): V1Images | undefined {
  const images = new Map<string, string[]>();
  for (const [name, tags] of envelope.json('repositories')?.fields() ?? []) {
    for (const [tag, json] of tags.fields()) {
      const id = json.string();
      if (!ID.test(id)) throw json.wrong('the id of a layer');
      const names = images.get(id);
      if (names) names.push(`${name}:${tag}`);
      else images.set(id, [`${name}:${tag}`]);
    }
  }
  if (images.size === 0) for (const id of topLayers(envelope)) images.set(id, []);
  if (images.size > COUNT_LIMIT) {
    throw new FlattenError('LIMIT', `repositories: names more than ${COUNT_LIMIT} images`);
  }
  return images.size === 0 ? undefined : images;
}

function topLayers(envelope: Envelope): readonly string[] {
  const ids = [...envelope.members.top()].filter(
    (name) => ID.test(name) && envelope.members.find(`${name}/layer.tar`),
  );
  const parents = new Set(ids.map((id) => envelope.json(`${id}/json`)?.get('parent').value));
  return ids.filter((id) => !parents.has(id));
}

interface V1Candidate extends Candidate {
  readonly id: string;
}

/** Opens the image that `choice` means. Nothing in such an archive can be verified: it holds no digest. */
export function openV1(envelope: Envelope, images: V1Images, choice: Choice): OpenedImage {
  const candidates = [...images].map(([id, names]) => candidate(envelope, id, names));
  const { id, names, platform } = choose(candidates, choice, envelope.name);
  const chain = lineage(envelope, id);
  const fields = Fields.of(envelope.needJson(`${id}/json`).text).without(OF_THE_LAYER);
  return {
    name: names[0] ?? id.slice(0, 12),
    kind: 'docker-archive',
    ...(platform && { platform }),
    config: readV1Config(jsonOf(fields.toText(), `${id}/json`)),
    layers: chain.map((layer, index) => {
      const name = `${layerName(index, chain.length)} (${layer.slice(0, 12)}…)`;
      return tarLayer({ name, blob: envelope.need(`${layer}/layer.tar`, name), bounds: envelope.bounds });
    }),
  };
}

/** A v1 id is the hash of nothing that is here, but people call the image by it. */
function candidate(envelope: Envelope, id: string, names: readonly string[]): V1Candidate {
  const digests = [`sha256:${id}` as const];
  try {
    const { platform } = readV1Config(envelope.needJson(`${id}/json`));
    return { id, names, digests, ...(platform && { platform }) };
  } catch (error) {
    if (!(error instanceof FlattenError)) throw error;
    return { id, names, digests, error };
  }
}

/** The layers that an image is made of, base first. */
function lineage(envelope: Envelope, top: string): readonly string[] {
  const chain = new Set<string>();
  for (let id: string | undefined = top; id !== undefined; ) {
    if (chain.has(id)) throw new FlattenError('BAD_IMAGE', `${id}/json: the layer is its own ancestor`);
    if (chain.size === DEPTH_LIMIT) {
      throw new FlattenError('LIMIT', `${top}: has more than ${DEPTH_LIMIT} layers`);
    }
    chain.add(id);
    const parent: Json = envelope.needJson(`${id}/json`).get('parent');
    id = parent.optionalString() || undefined;
    if (id !== undefined && !ID.test(id)) throw parent.wrong('the id of a layer');
  }
  return [...chain].reverse();
}
