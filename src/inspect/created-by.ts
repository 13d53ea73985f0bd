import type { ImageConfig } from '../oci/config.js';

/**
 * The commands that made an image's layers, as its history has them: one for each layer, undefined where nothing is said. The history has
 * entries of instructions that made no layer, too, which are passed over; if the others are not as many as there are layers, it is of other layers.
 */
export function createdBy(config: ImageConfig | undefined, layers: number): readonly (string | undefined)[] {
  const history = field(config?.json, 'history');
  const entries = Array.isArray(history) ? history : [];
  const ofLayers = entries.filter((entry) => field(entry, 'empty_layer') !== true);
  if (ofLayers.length !== layers) return Array.from({ length: layers }, () => undefined);
  return ofLayers.map((entry) => {
    const text = field(entry, 'created_by');
    return typeof text === 'string' && text !== '' ? text : undefined;
  });
}

/** Names of fields match as Go's encoding/json has them: exactly, else whatever their case. */
function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const object = value as Record<string, unknown>;
  if (Object.hasOwn(object, name)) return object[name];
  const key = Object.keys(object).find((each) => each.toLowerCase() === name);
  return key === undefined ? undefined : object[key];
}
