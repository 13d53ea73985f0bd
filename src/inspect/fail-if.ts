import { FlattenError } from '../errors.js';
import type { Inspection } from './inspect.js';

/** What can be measured of an image: a number, and what a percentage is of, if it makes sense. */
const MEASURES = {
  size: ({ tree }) => ({ value: tree.bytes }),
  entries: ({ tree }) => ({ value: tree.entries }),
  layers: ({ layers }) => ({ value: layers.length }),
  waste: ({ waste }) => ({ value: waste.bytes, whole: waste.carried }),
  overwritten: ({ waste }) => ({ value: waste.by.overwritten.bytes, whole: waste.carried }),
  removed: ({ waste }) => ({ value: waste.by.removed.bytes, whole: waste.carried }),
  metadata: ({ waste }) => ({ value: waste.by.metadata.bytes, whole: waste.carried }),
  twice: ({ twice, tree }) => ({ value: twice!.bytes, whole: tree.bytes }),
  setuid: ({ notable }) => ({ value: notable.setuid.length }),
  capabilities: ({ notable }) => ({ value: notable.capabilities.length }),
  devices: ({ notable }) => ({ value: notable.devices.length }),
  'world-writable': ({ notable }) => ({ value: notable.worldWritable.length }),
} as const satisfies Record<
  string,
  (found: Inspection) => { readonly value: number; readonly whole?: number }
>;

type Measure = keyof typeof MEASURES;

/** Measures of which there are percentages. */
const SHARES: ReadonlySet<string> = new Set(['waste', 'overwritten', 'removed', 'metadata', 'twice']);
/** Measures in bytes. */
const SIZES: ReadonlySet<string> = new Set([...SHARES, 'size']);

const COMPARE = {
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
} as const satisfies Record<string, (a: number, b: number) => boolean>;

/** A condition on which an image is not good enough. */
export interface Condition {
  /** As it was written. */
  readonly text: string;
  readonly measure: Measure;
  readonly operator: keyof typeof COMPARE;
  readonly value: number;
  readonly isPercent: boolean;
}

/**
 * Reads `MEASURE OPERATOR VALUE`, as `waste>10%`, `size >= 2GB` or `setuid>0`; `parseSize` reads the size that a value is, and throws for what is none.
 * Throws `USAGE` for what makes no sense.
 */
export function parseCondition(text: string, parseSize: (text: string) => number): Condition {
  const [, measure = '', operator = '', value = ''] =
    /^\s*([a-z-]+)\s*(>=|<=|>|<)\s*(\S(?:.*\S)?)\s*$/.exec(text) ?? [];
  const known = Object.keys(MEASURES);
  if (!known.includes(measure))
    throw nonsense(text, `it is MEASURE>VALUE, and the measures are ${known.join(', ')}`);
  const [, percent] = /^(\d+(?:\.\d+)?) ?%$/.exec(value) ?? [];
  if (percent !== undefined && !SHARES.has(measure))
    throw nonsense(text, `percentages are for ${[...SHARES].join(', ')}`);
  const rest = { text, measure: measure as Measure, operator: operator as Condition['operator'] };
  if (percent !== undefined) return { ...rest, value: Number(percent), isPercent: true };
  if (!SIZES.has(measure) && !/^\d{1,15}$/.test(value))
    throw nonsense(text, `${measure} is compared with a whole number`);
  try {
    return { ...rest, value: parseSize(value), isPercent: false };
  } catch {
    throw nonsense(
      text,
      `${measure} is compared with a size, as 64M${SHARES.has(measure) ? ', or a percentage, as 10%' : ''}`,
    );
  }
}

function nonsense(text: string, hint: string): FlattenError {
  return new FlattenError('USAGE', `{failIf: ${text}}: makes no sense`, { hint });
}

/** Whether the content must be read to know. */
export function needsContent({ measure }: Condition): boolean {
  return measure === 'twice';
}

/** What a condition measures of an image, if it holds: in percent where the condition has percent. */
export function holds(
  { measure, operator, value, isPercent }: Condition,
  found: Inspection,
): number | undefined {
  const { value: bare, whole }: { value: number; whole?: number } = MEASURES[measure](found);
  const measured = !isPercent ? bare : whole ? (100 * bare) / whole : 0;
  return COMPARE[operator](measured, value) ? measured : undefined;
}
