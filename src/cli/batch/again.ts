import type { BatchResult } from '../../fleet/result.js';
import { meant } from '../meant.js';
import { inWords } from '../words.js';

type Request = NonNullable<BatchResult['request']>;

/** Options whose value may be left out, so that it stands behind `=`. */
const OPTIONAL: ReadonlySet<string> = new Set(['verity', 'addInit']);

/** The command that makes one image of a list alone. */
export function commandFor({ input, output, disk = {}, image = {}, digests, ...options }: Request): string {
  const { digest: _, ...others } = options;
  const { squashfs = {}, ...sizes } = disk;
  const given = { ...others, ...sizes, ...squashfs, ...image, ...(digests === false && { verify: false }) };
  const words = Object.entries(given).flatMap(([name, value]) => wordsOf(name, value));
  return meant(input, '-o', output, ...words);
}

function wordsOf(name: string, value: unknown): string[] {
  const option = inWords(`{${name}}`);
  if (value === undefined) return [];
  if (value === false) return name === 'verify' ? ['--no-verify'] : [];
  if (value === true) return [option];
  if (Array.isArray(value)) return value.flatMap((each) => [option, textOf(each)]);
  return OPTIONAL.has(name) ? [`${option}=${value}`] : [option, textOf(value)];
}

/** Of a directory to make or to add, of a file for a config, and of a share, what the command line has. */
function textOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  const parts = value as Readonly<Record<string, string | number>>;
  if ('percent' in parts) return `${parts.percent}%`;
  if ('directory' in parts) return [parts.directory, parts.path].filter(Boolean).join(':');
  if ('format' in parts) return `${parts.format}:${parts.path}`;
  return typeof parts.mode === 'number'
    ? `${parts.path}:${parts.mode.toString(8).padStart(4, '0')}`
    : String(parts.path);
}
