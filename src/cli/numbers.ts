import { InvalidArgumentError } from 'commander';
import type { Share } from '../ext/ext.js';

const LETTERS = ['', 'K', 'M', 'G', 'T'];

/** How sizes are written, for the help of every command that takes one. */
export const SIZES = `A size is a number of bytes, or a number with a unit: 64M, 1.5GiB, 2GB.
K, M, G and T, also as KiB, MiB, GiB and TiB, are powers of 1024 bytes.
KB, MB, GB and TB are powers of 1000 bytes. The case does not matter.`;

const FORMS =
  'A size is a number of bytes, as 1073741824, or as 1G or 1GiB (1024^3 bytes) or 1GB (1000^3 bytes).';

/**
 * Reads a size in bytes: `1073741824`, `1G` and `1GiB` (powers of 1024, as mke2fs and qemu-img have them), `1GB` (powers of
 * 1000); whatever the case. A unit may have a fraction, `1.5G`, which is rounded down to whole bytes.
 */
export function parseSize(text: string): number {
  const size = sizeIn(text);
  if (size !== undefined) return size;
  const more = text.trim().endsWith('%') ? ' Only --free and --reserved take percent.' : '';
  throw new InvalidArgumentError(FORMS + more);
}

/** Reads a size, or a share as `10%`. */
export function parseSizeOrShare(text: string): number | Share {
  if (text.trim().endsWith('%')) return { percent: parsePercent(text) };
  const size = sizeIn(text);
  if (size === undefined) throw new InvalidArgumentError(`${FORMS} A share of all blocks is as 10%.`);
  return size;
}

/** In whole numbers, since 1.001 times a thousand millions is one byte less where it is computed in fractions. */
function sizeIn(text: string): number | undefined {
  const match = /^(\d+)(?:\.(\d+))? ?([KMGT]?)(iB|B)?$/i.exec(text.trim());
  if (match === null) return undefined;
  const [, whole = '', fraction = '', letter = '', ending = ''] = match;
  const isUnit = letter !== '';
  if (!isUnit && (fraction !== '' || ending.length > 1)) return undefined; // 1.5, 5iB
  const base = ending.toUpperCase() === 'B' ? 1000n : 1024n;
  const unit = base ** BigInt(LETTERS.indexOf(letter.toUpperCase()));
  const size = Number((BigInt(whole + fraction) * unit) / 10n ** BigInt(fraction.length));
  return Number.isSafeInteger(size) ? size : undefined;
}

/** Reads `5%` or `5`. */
export function parsePercent(text: string): number {
  const [, digits] = /^(\d+(?:\.\d+)?) ?%?$/.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('It is a number of percent, as 5%.');
  return Number(digits);
}

const SECONDS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600 };

/** Reads a duration in seconds: `90`, `90s`, `1.5m`, `2h`. */
export function parseDuration(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([smh]?)$/i.exec(text.trim()) ?? [];
  if (number === undefined || Number(number) === 0)
    throw new InvalidArgumentError('It is a number of seconds, or with a unit 90s, 10m or 2h.');
  return Number(number) * SECONDS[unit.toLowerCase()]!;
}

/** Reads a whole number that is not negative. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new InvalidArgumentError('It is a whole number, not negative.');
  return count;
}

/** Bytes as people read them: `512 B`, `45.6 MB`, in powers of 1000. */
export function showSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
