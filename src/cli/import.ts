import { statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { FlattenError } from '../errors.js';
import { type Format, isImageFormat } from '../sinks/format.js';
import { IMAGE_FORMATS, transportOf } from '../sinks/image/location.js';
import { addCacheOptions, refuseIdleCache } from './cache-options.js';
import { formatList } from './format-list.js';
import { addImageOptions, type ImageFlags, splitImageFlags } from './image-options.js';
import { addRegistryOptions } from './input-options.js';
import { parseCount, parseSize } from './numbers.js';
import { addProgressOption, Progress, type ProgressFlags } from './progress.js';
import { addReportOptions, type ReportFlags, reportResult } from './report.js';
import { requireStandardOutput } from './streams.js';

/** The options of `flatten import`, as commander gives them. */
interface Flags extends ImageFlags, ReportFlags, ProgressFlags {
  readonly output: string;
  readonly format?: Format;
  readonly force?: boolean;
  readonly platform?: string;
  readonly sourceDateEpoch?: number;
  readonly maxSize?: number;
  readonly maxEntries?: number;
  readonly cache?: string;
  readonly cacheSize?: number;
  readonly authfile?: string;
  readonly insecure?: readonly string[];
}

/** `flatten import ROOTFS -o IMAGE`: an image from scratch. */
export function addImport(program: Command, signal: AbortSignal): void {
  const command = program
    .command('import')
    .summary('Make an image from a root filesystem')
    .description(
      'Makes a single-layer image of a tar, a compressed tar or a directory, as docker import does, without an engine.',
    )
    .argument(
      '<rootfs>',
      'A tar (gzip, zstd, xz or bzip2), a directory, https://HOST/FILE, or - for a tar on standard input',
    )
    .optionsGroup('Output:')
    .requiredOption(
      '-o, --output <image>',
      'Where to write: FILE, docker-archive:FILE[:NAME:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-daemon:NAME:TAG, docker://NAME:TAG, or -',
    )
    .option(
      '--format <name>',
      `Write this format, whatever the name of the output says: ${formatList(IMAGE_FORMATS)}`,
    )
    .option('-f, --force', 'Replace an existing output once the new one is complete');
  addImageOptions(addRegistryOptions(command))
    .option(
      '--platform <os/arch>',
      'Say what the image runs on (default: the platform of this machine, with linux)',
    )
    .addOption(
      new Option(
        '--source-date-epoch <seconds>',
        'Set every mtime that is later to this time, and use it as the creation time',
      )
        .env('SOURCE_DATE_EPOCH')
        .argParser(parseCount),
    )
    .optionsGroup('Root filesystem:')
    .option(
      '--max-size <bytes>',
      'Refuse a root filesystem that unpacks to more (default: 64G, less for small inputs)',
      parseSize,
    )
    .option(
      '--max-entries <count>',
      'Refuse a root filesystem with more entries (default: 2000000, less for small inputs)',
      parseCount,
    );
  addProgressOption(addReportOptions(addCacheOptions(command)));
  command.action((rootfs: string, flags: Flags) => importRootfs(rootfs, flags, signal));
}

async function importRootfs(rootfs: string, flags: Flags, signal: AbortSignal): Promise<void> {
  await refuseIdleCache(rootfs, flags);
  const { image = {}, rest } = splitImageFlags(flags);
  const { json, quiet, verbose, progress: _, format = formatFor(flags), ...options } = rest;
  if (flags.output === '-') requireStandardOutput('an image');
  if (flags.output === '-' && (json || process.stdout.isTTY))
    throw new FlattenError('USAGE', '-o -: standard output is not free for an image');
  if (!isImageFormat(format))
    throw new FlattenError('USAGE', `--format ${format}: import makes images`, {
      hint: `one of ${IMAGE_FORMATS.join(', ')}`,
    });
  const progress = new Progress(process.stderr, flags);
  try {
    const { flatten } = await import('../flatten.js');
    const onEvent = progress.show.bind(progress);
    const request = { ...options, format, image, input: rootfs, rootfsOnly: true };
    const result = await flatten({ ...request, signal, onEvent });
    progress.end();
    reportResult(result, flags);
  } finally {
    progress.end();
  }
}

/** Here an output is always an image: a directory is a layout, a file what `docker load` reads. */
function formatFor({ output }: Flags): Format {
  const isDirectory = output.endsWith('/') || statSync(output, { throwIfNoEntry: false })?.isDirectory();
  return transportOf(output) ?? (isDirectory ? 'oci' : 'docker-archive');
}
