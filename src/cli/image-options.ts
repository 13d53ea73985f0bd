import type { Command } from 'commander';
import type { SquashOptions } from '../squash.js';
import { parseCount } from './numbers.js';

/** Options of images that are written, as commander gives them. */
export interface ImageFlags extends Omit<SquashOptions, 'changes'> {
  readonly change?: readonly string[];
}

/** Adds the options that every image has. */
export function addImageOptions(command: Command): Command {
  return command
    .option('-c, --change <instruction>', 'edit the config: CMD, ENV, LABEL, …; may be repeated', collect)
    .option('-m, --message <text>', 'the comment in the history')
    .option('--author <name>', 'who made it')
    .option('--compression <kind[:level]>', 'of the layer: none, gzip, zstd (none)');
}

/** Adds those that only an image made of another one has. */
export function addKeepOptions(command: Command): Command {
  return command
    .option('--from-layer <number|digest>', 'keep the layers up to this one as they are')
    .option('--last <count>', 'keep all layers but the last so many as they are', parseCount);
}

/** Takes the options of images out of a command's flags. */
export function splitImageFlags<T extends ImageFlags>(
  flags: T,
): { squash?: SquashOptions; rest: Omit<T, keyof ImageFlags> } {
  const { change: changes, message, author, compression, fromLayer, last, ...rest } = flags;
  const given = Object.entries({ changes, message, author, compression, fromLayer, last }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? { rest } : { squash: Object.fromEntries(given), rest };
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
