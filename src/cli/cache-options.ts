import type { Command } from 'commander';
import { FlattenError } from '../errors.js';
import { parseSize } from './numbers.js';

/** Adds the options that say where the cache of downloaded blobs is, and how large it may become. */
export function addCacheOptions(
  command: Command,
  size = 'Prune the cache to this size (default: 20GB)',
): Command {
  return command
    .optionsGroup('Cache of downloads:')
    .option(
      '--cache <dir>',
      'Keep downloads here; none keeps none (default: FLATTEN_CACHE, else ~/.cache/flatten)',
    )
    .option('--cache-size <bytes>', size, parseSize);
}

/** Throws `USAGE` where there are options for the cache, and nothing will be downloaded. */
export async function refuseIdleCache(
  image: string,
  { cache, cacheSize }: { readonly cache?: string; readonly cacheSize?: number },
): Promise<void> {
  const name = cache !== undefined ? '{cache}' : cacheSize !== undefined ? '{cacheSize}' : undefined;
  if (name === undefined) return;
  const { parseInput } = await import('../sources/transport.js');
  const { kind, text } = parseInput(image);
  if (kind === 'registry' || kind === 'web') return;
  throw new FlattenError('USAGE', `${name}: only for what is downloaded, and ${text} is not`, {
    hint: 'images of registries begin with docker://, files on the web with https://',
  });
}
