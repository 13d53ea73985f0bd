import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { ItemOptions } from './item.js';

/** Options that change nothing about what is written, but only how it is gone about. */
const ASIDE: ReadonlySet<keyof ItemOptions> = new Set([
  'authfile',
  'cache',
  'cacheSize',
  'digest',
  'force',
  'allowForeignLayers',
  'insecure',
  'maxEntries',
  'maxSize',
  'tmp',
]);

/** A digest of all options that an output depends on, whatever their order. `more` is what else it depends on. */
export function keyOf(options: ItemOptions, more: readonly unknown[]): string {
  const counted = Object.entries(options).filter(([name]) => !ASIDE.has(name as keyof ItemOptions));
  return createHash('sha256')
    .update(JSON.stringify([sorted(Object.fromEntries(counted)), more]))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(
    known.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, sorted(each)]),
  );
}

/** The version of flatten, since another one may write other bytes. */
export function programVersion(): string {
  return JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')).version;
}
