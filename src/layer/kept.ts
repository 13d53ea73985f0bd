import { FlattenError } from '../errors.js';
import { shownLayers } from '../oci/shown.js';
import type { Layer } from './layer.js';

/** Which layers are kept as they are; at most one of the two. */
export interface Keep {
  /** Those up to this one: its number, counted from 1, or its digest or diffID, of which the first twelve digits do. */
  readonly fromLayer?: string;
  /** All but this many. */
  readonly last?: number;
}

/** How many of an image's lower layers are kept. Throws `USAGE` where it has not so many, and `NOT_FOUND` for a digest of none. */
export function keptLayers(layers: readonly Layer[], { fromLayer, last }: Keep): number {
  const count = layers.length;
  if (fromLayer !== undefined && last !== undefined)
    throw new FlattenError('USAGE', '{fromLayer} and {last}: only one of them can be meant');
  if (last !== undefined) {
    if (Number.isInteger(last) && last >= 1 && last <= count) return count - last;
    throw new FlattenError('USAGE', `{last: ${last}}: the image has ${shownLayers(count)}`);
  }
  if (fromLayer === undefined) return 0;
  const kept = numberOf(layers, fromLayer, 'fromLayer');
  if (kept < count) return kept;
  throw new FlattenError('USAGE', `{fromLayer: ${fromLayer}}: nothing is above it in ${shownLayers(count)}`);
}

/** The number of the layer that is meant by its number, counted from 1, or by its digest or diffID. Throws as {@link keptLayers} does. */
export function layerNumber(layers: readonly Layer[], wanted: string): number {
  const number = numberOf(layers, wanted, 'layer');
  if (number >= 1 && number <= layers.length) return number;
  throw new FlattenError('USAGE', `{layer: ${wanted}}: the image has ${shownLayers(layers.length)}`);
}

function numberOf(layers: readonly Layer[], wanted: string, option: 'fromLayer' | 'layer'): number {
  return /^\d{1,4}$/.test(wanted) ? Number(wanted) : byDigest(layers, wanted, option);
}

function byDigest(layers: readonly Layer[], wanted: string, option: 'fromLayer' | 'layer'): number {
  const digits = /^(?:sha256:|sha512:)?([0-9a-f]{12,128})…?$/i.exec(wanted)?.[1]?.toLowerCase();
  const fits = layers.flatMap(({ digest, diffID }, index) => {
    const isIt = [digest, diffID].some((each) => digits && each?.slice(7).startsWith(digits));
    return isIt ? [index + 1] : [];
  });
  if (fits.length === 1) return fits[0]!;
  const what =
    fits.length === 0 ? 'no layer of the image' : `layers ${fits.join(' and ')} of the image alike`;
  throw new FlattenError(fits.length === 0 ? 'NOT_FOUND' : 'AMBIGUOUS', `{${option}: ${wanted}}: ${what}`, {
    hint: ['say its number:', ...layers.map(({ name }) => `  ${name}`)].join('\n'),
  });
}
