const BINARY = ['KiB', 'MiB', 'GiB', 'TiB'];
const DECIMAL = ['kB', 'MB', 'GB', 'TB', 'PB'];

/** A count as people read it: `1,234,567`. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** A size as messages give it: `300 bytes`, `64 GiB` where it is whole units of 1024, else `8,417,281 bytes (8.4 MB)`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  return wholeUnits(bytes) ?? `${countText(bytes)} bytes${bytes < 10_000 ? '' : ` (${rounded(bytes)})`}`;
}

function wholeUnits(bytes: number): string | undefined {
  for (let power = BINARY.length; power > 0; power--) {
    const unit = 1024 ** power;
    if (bytes >= unit && bytes % unit === 0 && bytes / unit < 1024)
      return `${bytes / unit} ${BINARY[power - 1]}`;
  }
  return undefined;
}

function rounded(bytes: number): string {
  let [value, unit] = [bytes, -1];
  while (value >= 999.5 && unit < DECIMAL.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${DECIMAL[unit]}`;
}
