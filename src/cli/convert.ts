import { type Command, Option } from 'commander';
import { FlattenError } from '../errors.js';
import type { Format } from '../sinks/output.js';
import { parseCount, parseSize } from './numbers.js';
import { Progress } from './progress.js';
import { reportResult } from './report.js';

/** The options of the main command, as commander gives them. */
interface Flags {
  readonly output: string;
  readonly format?: Format;
  readonly platform?: string;
  readonly image?: string;
  readonly force?: boolean;
  readonly strict?: boolean;
  readonly verify: boolean;
  readonly keepDirlinks?: boolean;
  readonly sourceDateEpoch?: number;
  readonly maxSize?: number;
  readonly maxEntries?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** `flatten IMAGE -o OUTPUT`: the main command, at the root of the program. */
export function addConvert(program: Command, signal: AbortSignal): void {
  program
    .argument(
      '<image>',
      'an archive (docker save, OCI; gzip, zstd, xz or bzip2), a layout or rootfs directory, - for standard input',
    )
    .requiredOption(
      '-o, --output <where>',
      'rootfs/ (a directory), FILE.tar[.gz|.zst], FILE.img|.ext2|.ext3|.ext4, or - for standard output',
    )
    .option(
      '--format <name>',
      'write this format, whatever the name says: directory, tar, tar.gz, tar.zst, ext2, ext3, ext4',
    )
    .option('--image <name>', 'which image of several: NAME[:TAG] or a digest')
    .option('--platform <os/arch>', "which platform of several (default: this machine's, as linux)")
    .option('-f, --force', 'replace an existing output, once the new one is whole')
    .option('--strict', 'fail where the output cannot hold something, instead of reporting it')
    .option(
      '--keep-dirlinks',
      "follow a lower layer's symlink to a directory where a layer puts files below it",
    )
    .addOption(
      new Option('--source-date-epoch <seconds>', 'clamp every mtime to this time')
        .env('SOURCE_DATE_EPOCH')
        .argParser(parseCount),
    )
    .option('--no-verify', 'do not compare digests')
    .option('--max-size <bytes>', 'refuse images that unpack to more (64G)', parseSize)
    .option('--max-entries <count>', 'refuse images with more entries (2000000)', parseCount)
    .option('--json', 'print the result as JSON on standard output')
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'say more: the whole error')
    .action(async (input: string, flags: Flags) => {
      checkOutput(flags);
      const { json, quiet, verbose, ...options } = flags;
      const progress = new Progress(process.stderr, quiet ?? false);
      const { flatten } = await import('../flatten.js');
      try {
        const result = await flatten({ ...options, input, signal, onEvent: (event) => progress.show(event) });
        progress.end();
        reportResult(result, { json: json ?? false, quiet: quiet ?? false });
      } finally {
        progress.end();
      }
    });
}

function checkOutput({ output, json }: Flags): void {
  if (output !== '-') return;
  if (json) throw new FlattenError('USAGE', '--json and -o - both want standard output');
  if (process.stdout.isTTY) {
    throw new FlattenError('USAGE', '-o -: a tar is not for a terminal', {
      hint: 'pipe it: flatten IMAGE -o - | tar -tf -',
    });
  }
}
