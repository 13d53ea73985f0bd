import { Argument, type Command } from 'commander';
import type { CacheFlags } from './cache/act.js';
import { addCacheOptions } from './cache-options.js';
import { addReportOptions } from './report.js';

/** `flatten cache ls` and `flatten cache prune`. */
export function addCache(program: Command): void {
  const command = program
    .command('cache')
    .summary('List or prune the cache of downloaded blobs')
    .description(
      `Downloaded blobs are kept, so that nothing is downloaded twice:
  ls      lists them, the last used first
  prune   removes those that were used longest ago, until the rest fits`,
    )
    .addArgument(new Argument('<action>', 'What to do').choices(['ls', 'prune']));
  addCacheOptions(command, 'Prune to this size (default: 20GB); 0 removes everything');
  command.action(async (action: 'ls' | 'prune', flags: CacheFlags) => {
    const { actOnCache } = await import('./cache/act.js');
    actOnCache(action, flags);
  });
  addReportOptions(command);
}
