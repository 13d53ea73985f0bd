/** Bytes as people read them: `512 B`, `45.6 MB`, in powers of 1000. */
export function showBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** A count as people read it: `1,234,567`. */
export function showCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A share as people read it: `12 %`, `0.4 %`. */
export function showShare(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %';
  const percent = (100 * part) / whole;
  return percent < 0.1
    ? '< 0.1 %'
    : `${percent < 10 ? percent.toFixed(1).replace(/\.0$/, '') : Math.round(percent)} %`;
}

/** Why bytes do not show, for a sentence. */
export const REASONS: Readonly<Record<string, string>> = {
  overwritten: 'overwritten',
  removed: 'removed',
  metadata: 'copied, with other metadata alone',
  bookkeeping: 'of a marker',
};
