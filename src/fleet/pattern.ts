import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';

/** What an output's name may take from its image. */
export const PLACEHOLDERS = [
  'registry',
  'repository',
  'name',
  'tag',
  'digest',
  'platform',
  'layers',
] as const;
export type Placeholder = (typeof PLACEHOLDERS)[number];

/** What stands in the place of a placeholder. */
export type Values = Readonly<Partial<Record<Placeholder, string>>>;

/** Those that only the image itself can say, and not its reference. */
const LATE: ReadonlySet<Placeholder> = new Set(['digest', 'platform', 'layers']);

/** What stands in a late placeholder's place while its value is not known. */
const UNKNOWN = 'x';

/** Bytes of one name in a directory (limits.h, NAME_MAX). */
const LONGEST_NAME = 255;

/** An output's name with placeholders, taken apart. */
export interface Pattern {
  readonly text: string;
  readonly parts: readonly (string | { readonly placeholder: Placeholder })[];
  /** Whether the image must be looked at before its output has a name. */
  readonly isLate: boolean;
}

/** Reads `disks/{repository}/{tag}.ext4`. Throws `USAGE` for a placeholder that does not exist, and for a brace without its other half. */
export function parsePattern(text: string, place: string): Pattern {
  const pieces = text.split(/(\{[^{}]*\})/).filter((piece) => piece !== '');
  const parts = pieces.map((piece) => {
    if (!/[{}]/.test(piece)) return piece;
    const name = piece.slice(1, -1);
    if (isPlaceholder(name) && piece === `{${name}}`) return { placeholder: name };
    throw unknown(text, piece, place);
  });
  const isLate = parts.some((part) => typeof part !== 'string' && LATE.has(part.placeholder));
  return { text, parts, isLate };
}

/** The name of one image's output. Throws `USAGE` where the image has no such value, or one that cannot be a part of a path. */
export function fill({ parts, text }: Pattern, values: Values, place: string): string {
  return parts
    .map((part) => (typeof part === 'string' ? part : safe(part.placeholder, values, text, place)))
    .join('');
}

/** The same while the image has not been looked at: to check what is known. */
export function fillEarly(pattern: Pattern, values: Values, place: string): string {
  const late = Object.fromEntries([...LATE].map((name) => [name, UNKNOWN]));
  return fill(pattern, { ...values, ...late }, place);
}

function safe(name: Placeholder, values: Values, pattern: string, place: string): string {
  const value = values[name];
  if (value === undefined) throw wrong(place, `has no {${name}}, which ${pattern} asks for`, hintFor(values));
  const parts = name === 'repository' ? value.split('/') : [value];
  for (const part of parts) {
    const isName = part !== '' && part !== '.' && part !== '..' && !/[/\x00-\x1f\x7f]/.test(part);
    if (!isName || Buffer.byteLength(part) > LONGEST_NAME)
      throw wrong(place, `its ${name}, ${JSON.stringify(value.slice(0, 100))}, cannot be a part of a path`);
  }
  return value;
}

function hintFor(values: Values): string {
  const known = PLACEHOLDERS.filter((name) => values[name] !== undefined || LATE.has(name));
  const has = known.map((name) => `{${name}}`).join(', ');
  return `it has ${has}; or give it a name of its own: {"image": "…", "output": "…"}`;
}

function unknown(text: string, piece: string, place: string): FlattenError {
  const [near] = nearest(piece.replace(/[{}]/g, ''), PLACEHOLDERS, 1);
  const all = `there are ${PLACEHOLDERS.map((name) => `{${name}}`).join(' ')}`;
  const what =
    piece.startsWith('{') && piece.endsWith('}') ? 'is no placeholder' : 'has a brace without its other half';
  return wrong(
    place,
    `${text}: ${piece.startsWith('{') && piece.endsWith('}') ? `${piece} ` : ''}${what}`,
    near === undefined ? all : `did you mean {${near}}? ${all}`,
  );
}

function isPlaceholder(name: string): name is Placeholder {
  return (PLACEHOLDERS as readonly string[]).includes(name);
}

function wrong(place: string, what: string, hint?: string): FlattenError {
  return new FlattenError('USAGE', `${place}: ${what}`, hint === undefined ? {} : { hint });
}
