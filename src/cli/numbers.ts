import { InvalidArgumentError } from 'commander';
import type { Share } from '../ext/size-options.js';

const LETTERS = ['', 'K', 'M', 'G', 'T'];

/**
 * Reads a size in bytes: `1073741824`, `1G` and `1GiB` (powers of 1024, as mke2fs and qemu-img have them), `1GB` (powers of
 * 1000); whatever the case. Fractions are fine, `1.5G`, and rounded down to whole bytes.
 */
export function parseSize(text: string): number {
  const [, digits, letter = '', ending = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]?)(iB|B)?$/i.exec(text.trim()) ?? [];
  const isDecimal = ending.toUpperCase() === 'B';
  const power = LETTERS.indexOf(letter.toUpperCase());
  const isByteAlone = letter === '' && ending.length > 1; // 5iB
  const size = isByteAlone ? Number.NaN : Math.floor(Number(digits) * (isDecimal ? 1000 : 1024) ** power);
  if (digits === undefined || !Number.isSafeInteger(size)) {
    throw new InvalidArgumentError(
      'A size is a number of bytes, or as 64M, 64MiB (1024 x 1024) or 64MB (1000 x 1000).',
    );
  }
  return size;
}

/** Reads a size, or a share as `10%`. */
export function parseSizeOrShare(text: string): number | Share {
  return text.trim().endsWith('%') ? { percent: parsePercent(text) } : parseSize(text);
}

/** Reads `5%` or `5`. */
export function parsePercent(text: string): number {
  const [, digits] = /^(\d+(?:\.\d+)?) ?%?$/.exec(text.trim()) ?? [];
  if (digits === undefined) throw new InvalidArgumentError('It is a number of percent, as 5%.');
  return Number(digits);
}

/** Reads a whole number that is not negative. */
export function parseCount(text: string): number {
  const count = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(count)) throw new InvalidArgumentError('It is a whole number, not negative.');
  return count;
}

/** A count as people read it: `1,234,567`. */
export function showCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
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
