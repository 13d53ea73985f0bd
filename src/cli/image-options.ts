import type { Command } from 'commander';
import type { ImageOptions } from '../squash.js';
import { parseCount } from './numbers.js';

/** Options of images that are written, as commander gives them. */
export interface ImageFlags extends Omit<ImageOptions, 'changes'> {
  readonly change?: readonly string[];
}

/** Adds the options that every image has. */
export function addImageOptions(command: Command): Command {
  return command
    .optionsGroup('Images of one layer:')
    .option(
      '-c, --change <instruction>',
      'Edit the config with an instruction such as CMD, ENV or LABEL (repeatable)',
      collect,
    )
    .option('-m, --message <text>', 'Set the comment of the image and of its new history entry')
    .option('--author <name>', 'Set the author of the image')
    .option(
      '--compression <kind[:level]>',
      'Compress the new layer: none, gzip or zstd, as gzip:9 (default: none for docker-archive and docker-daemon, else gzip); squashfs: zstd, xz, lz4 or gzip',
    );
}

/** Adds those that only an image made of another one has. */
export function addKeepOptions(command: Command): Command {
  return command
    .option('--from-layer <number|digest>', 'Keep the layers up to this one as they are')
    .option('--last <count>', 'Keep all layers except this many at the end as they are', parseCount);
}

/** Takes the options of images out of a command's flags. */
export function splitImageFlags<T extends ImageFlags>(
  flags: T,
): { image?: ImageOptions; rest: Omit<T, keyof ImageFlags> } {
  const { change: changes, message, author, compression, fromLayer, last, ...rest } = flags;
  const given = Object.entries({ changes, message, author, compression, fromLayer, last }).filter(
    ([, value]) => value !== undefined,
  );
  return given.length === 0 ? { rest } : { image: Object.fromEntries(given), rest };
}

function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}
