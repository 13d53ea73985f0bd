import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InputOptions } from '../input.js';
import { addCacheOptions } from './cache-options.js';
import { parseCount, parseSize } from './numbers.js';

/** Options of every command that reads an image, as commander gives them. */
export type InputFlags = Omit<
  InputOptions,
  'input' | 'reference' | 'digests' | 'rootfsOnly' | 'signal' | 'onEvent' | 'tmp'
> & {
  /** The reference of the image. */
  readonly image?: string;
};

/** Adds the options that say which image is read, and how. */
export function addImageChoice(command: Command): Command {
  addCacheOptions(command)
    .optionsGroup('Which image:')
    .option('--image <name>', 'Read this image, if the input holds several: NAME[:TAG] or a digest');
  return addReadOptions(command);
}

/** Adds the options that say which image is read, how, and what is changed in its tree. */
export function addInputOptions(command: Command): Command {
  return addGlobOptions(addImageChoice(command))
    .option(
      '--mkdir <path[:mode]>',
      'Make a directory, with mode 0755 and owner root by default (repeatable)',
      collectDirectory,
    )
    .option(
      '--add <dir[:path]>',
      'Add the content of a directory of this machine, owned by root (repeatable)',
      collectAdded,
    )
    .option(
      '--add-init [path]',
      'Add a shell script that starts the image as a machine, as its first process: --add-init=PATH (default: /sbin/flatten-init)',
      (path) => (path === '' ? true : path),
    )
    .addOption(
      new Option('--source-date-epoch <seconds>', 'Set every mtime that is later to this time')
        .env('SOURCE_DATE_EPOCH')
        .argParser(parseCount),
    );
}

/** Adds the options that say how an image is read, whichever it is. */
export function addReadOptions(command: Command): Command {
  command.option(
    '--platform <os/arch>',
    'Read the image for this platform (default: that of this machine, with linux)',
  );
  return addRegistryOptions(command)
    .option(
      '--allow-foreign-layers',
      'Fetch layers that the registry does not have from the https addresses that the image names',
    )
    .option(
      '--keep-dirlinks',
      'Follow a symlink of a lower layer to a directory if a layer puts files below it',
    )
    .option(
      '--max-size <bytes>',
      'Refuse an image that unpacks to more (default: 64G, less for small inputs)',
      parseSize,
    )
    .option(
      '--max-entries <count>',
      'Refuse an image with more entries (default: 2000000, less for small inputs)',
      parseCount,
    );
}

/** Adds the options that choose from the tree. */
export function addGlobOptions(command: Command): Command {
  return command
    .optionsGroup('Changes to the tree:')
    .option('--include <glob>', 'Keep only paths that match this glob (repeatable)', collect)
    .option('--exclude <glob>', 'Leave out paths that match this glob (repeatable)', collect);
}

/** Adds the options that say how registries are spoken with. */
export function addRegistryOptions(command: Command): Command {
  return command
    .option('--authfile <file>', 'Look for the credentials of registries in this file only')
    .option(
      '--insecure <host>',
      'Let this registry speak plain http, or have any certificate (repeatable)',
      collect,
    );
}

/** Takes the name of the image out of a command's flags: the library calls it the reference, since `image` is what is written there. */
export function splitImageName<T extends Pick<InputFlags, 'image'>>({
  image,
  ...rest
}: T): { reference: string | undefined; rest: Omit<T, 'image'> } {
  return { reference: image, rest };
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
