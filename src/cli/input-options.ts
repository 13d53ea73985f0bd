import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InputOptions } from '../input.js';
import { parseCount, parseSize } from './numbers.js';

/** Options of every command that reads an image, as commander gives them. */
export type InputFlags = Omit<
  InputOptions,
  'input' | 'digests' | 'rootfsOnly' | 'signal' | 'onEvent' | 'tmp'
>;

/** Adds the options that say which image is read, and how. */
export function addInputOptions(command: Command): Command {
  return command
    .option('--image <name>', 'which image of several: NAME[:TAG] or a digest')
    .option('--platform <os/arch>', "which platform of several (default: this machine's, as linux)")
    .option(
      '--keep-dirlinks',
      "follow a lower layer's symlink to a directory where a layer puts files below it",
    )
    .option('--include <glob>', 'keep only what this means; may be repeated', collect)
    .option('--exclude <glob>', 'leave out what this means; may be repeated', collect)
    .option('--mkdir <path[:mode]>', 'make a directory (0755, root); may be repeated', collectDirectory)
    .option('--add <dir[:path]>', 'put a host directory on top, owned by root; may be repeated', collectAdded)
    .addOption(
      new Option('--source-date-epoch <seconds>', 'clamp every mtime to this time')
        .env('SOURCE_DATE_EPOCH')
        .argParser(parseCount),
    )
    .option('--max-size <bytes>', 'refuse images that unpack to more (64G, less for small inputs)', parseSize)
    .option(
      '--max-entries <count>',
      'refuse images with more entries (2000000, less for small inputs)',
      parseCount,
    );
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

function collectDirectory(value: string, before: InputOptions['mkdir'] = []): InputOptions['mkdir'] {
  const [, path, digits] = /^(.+?)(?::(\d+))?$/s.exec(value) ?? [];
  const mode = /^[0-7]+$/.test(digits ?? '0') ? Number.parseInt(digits ?? '0', 8) : Number.NaN;
  if (path === undefined || !(mode <= 0o7777))
    throw new InvalidArgumentError('It is PATH or PATH:MODE, as /data:0750.');
  return [...before, { path, ...(digits !== undefined && { mode }) }];
}

function collectAdded(value: string, before: InputOptions['add'] = []): InputOptions['add'] {
  const colon = value.lastIndexOf(':');
  const [directory, path] = colon > 0 ? [value.slice(0, colon), value.slice(colon + 1)] : [value, ''];
  return [...before, { directory, path }];
}
