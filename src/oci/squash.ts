import { applyChanges, type Change } from './change.js';
import type { ImageConfig } from './config.js';
import type { Digest } from './digest.js';
import { Fields } from './fields.js';
import { JsonText } from './json-text.js';
import type { Platform } from './platform.js';

/** What becomes of an image's config when its layers become fewer. */
export interface Squash {
  /** Of the layers it has now, base first. */
  readonly diffIDs: readonly Digest[];
  /** How many of them are the source's own, kept as they were. */
  readonly kept: number;
  /** How many layers the source has. */
  readonly layers: number;
  /** What its last entry in the history says was done. */
  readonly createdBy: string;
  /** RFC 3339; absent: the source's. */
  readonly created?: string;
  /** Asked where neither is: RFC 3339. */
  readonly createdElse: () => string;
  readonly author?: string;
  readonly message?: string;
  /** For a source that says none. */
  readonly platform: Platform;
  readonly changes: readonly Change[];
}

/**
 * Makes the config of an image with other layers: every field stays as it is, in its place, but `rootfs`, `history`, and
 * what is asked for. A bare rootfs has no config to start from.
 */
export function squashConfig(source: ImageConfig | undefined, squash: Squash): Fields {
  const before = Fields.of(source && new JsonText(source.text));
  const created = squash.created ?? textOf(before, 'created') ?? squash.createdElse();
  const { author, message, platform, diffIDs } = squash;
  const entry = {
    created,
    created_by: squash.createdBy,
    ...(author !== undefined && { author }),
    ...(message !== undefined && { comment: message }),
  };
  const set: [string, unknown][] = [
    ['created', created],
    ...(author === undefined ? [] : [['author', author] as [string, unknown]]),
    ...(message === undefined ? [] : [['comment', message] as [string, unknown]]),
    ...platformFields(before, platform),
    ['config', applyChanges(Fields.of(before.get('config')), squash.changes).toText()],
    ['rootfs', { type: 'layers', diff_ids: diffIDs }],
    ['history', [...keptHistory(before, squash), entry]],
  ];
  return set.reduce((fields, [name, value]) => fields.with(name, value), before);
}

/** An image that says what it runs on keeps its own words. */
function platformFields(before: Fields, platform: Platform): [string, unknown][] {
  if (textOf(before, 'os') && textOf(before, 'architecture')) return [];
  const { os, architecture, variant } = platform;
  return [
    ['architecture', architecture],
    ['os', os],
    ...(variant === undefined ? [] : [['variant', variant] as [string, unknown]]),
  ];
}

/** The entries that speak of kept layers and of what stands between them; bare ones where the history is not of these layers. */
function keptHistory(before: Fields, { kept, layers }: Squash): readonly unknown[] {
  const entries = before.get('history')?.items() ?? [];
  const ofLayers = entries.flatMap((entry, index) => (isEmptyLayer(entry) ? [] : [index]));
  if (kept === 0) return [];
  if (ofLayers.length !== layers) return Array.from({ length: kept }, () => ({ created_by: 'unknown' }));
  return entries.slice(0, ofLayers[kept - 1]! + 1);
}

function isEmptyLayer(entry: JsonText): boolean {
  return Fields.of(entry).get('empty_layer')?.text === 'true';
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields.get(name)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
}
