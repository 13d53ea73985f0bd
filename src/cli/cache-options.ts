import type { Command } from 'commander';
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
