import { type Command, InvalidArgumentError } from 'commander';
import type { ConfigOut } from '../config-out.js';
import { FlattenError } from '../errors.js';
import { START_FORMATS } from '../start/formats.js';
import { refuseIdleCache } from './cache-options.js';
import { addDiskOptions, type DiskFlags, splitDiskFlags } from './disk-options.js';
import { addImageOptions, addKeepOptions, type ImageFlags, splitImageFlags } from './image-options.js';
import { addInputOptions, type InputFlags, splitImageName } from './input-options.js';
import { imageAndOutput } from './operands.js';
import { addOutputOptions, type OutputFlags } from './output-options.js';
import { addProgressOption, Progress, type ProgressFlags } from './progress.js';
import { addReportOptions, type ReportFlags, reportPlan, reportResult } from './report.js';
import { requireStandardOutput } from './streams.js';

/** The options of the main command, as commander gives them. */
interface Flags extends InputFlags, OutputFlags, DiskFlags, ImageFlags, ReportFlags, ProgressFlags {
  readonly output?: string;
  readonly configOut?: readonly ConfigOut[];
  readonly plan?: boolean;
}

/** `flatten IMAGE -o OUTPUT`: the main command, at the root of the program. */
export function addConvert(program: Command, signal: AbortSignal): void {
  program
    .usage('IMAGE -o OUTPUT [options]')
    .allowExcessArguments() // convert() says what was meant
    .argument(
      '[image]',
      'An archive (docker save, OCI; gzip, zstd, xz or bzip2), a layout or rootfs directory, - for standard input, docker://NAME[:TAG], docker-daemon:NAME[:TAG], https://HOST/FILE[#sha256:DIGEST]',
    )
    .optionsGroup('Output:')
    .option(
      '-o, --output <where>',
      'Where to write: DIR, - (standard output), FILE.tar, .cpio, .img, .ext4, .erofs, .squashfs, ' +
        'docker-archive:FILE[:NAME:TAG], oci:DIR[:TAG], oci-archive:FILE[:TAG], docker-daemon:NAME:TAG, docker://NAME:TAG',
    );
  addOutputOptions(program).option(
    '--config-out <[format:]file>',
    `Write how a runtime starts the image to a file, too: ${START_FORMATS.join(', ')} (repeatable; default: json)`,
    collectConfig,
  );
  addInputOptions(program);
  addKeepOptions(addImageOptions(program));
  addDiskOptions(program).option(
    '--plan',
    'Print how the size of the disk image comes together, and write nothing',
  );
  addProgressOption(addReportOptions(program));
  program.action((_: unknown, flags: Flags) => {
    const commands = program.commands.map((command) => command.name());
    const { input, output } = imageAndOutput({ words: program.args, output: flags.output, commands });
    checkStreams(output, flags);
    return convert(input, output, flags, signal);
  });
}

async function convert(input: string, output: string, flags: Flags, signal: AbortSignal): Promise<void> {
  await refuseIdleCache(input, flags);
  const { disk, rest: others } = splitDiskFlags(flags, output);
  const { reference, rest: about } = splitImageName(others);
  const { image, rest } = splitImageFlags(about);
  const { json, quiet, verbose, progress: _, verify, plan, ...options } = rest;
  const progress = new Progress(process.stderr, flags);
  const request = {
    ...options,
    ...(disk && { disk }),
    ...(image && { image }),
    ...(reference !== undefined && { reference }),
    input,
    output,
    signal,
    digests: verify !== false,
    verify: verify === true,
    // Nobody would hear of it.
    ...(quiet && !json && { digest: false }),
    onEvent: progress.show.bind(progress),
  };
  try {
    if (plan) {
      const { planDisk } = await import('../plan.js');
      reportPlan(await planDisk(request), flags);
      return;
    }
    const { flatten } = await import('../flatten.js');
    const result = await flatten(request);
    progress.end();
    reportResult(result, flags);
  } finally {
    progress.end();
  }
}

/** Throws `USAGE` where standard output is closed, or not for what would be printed. */
function checkStreams(output: string, { json, plan }: Flags): void {
  if (output !== '-' || plan) return;
  requireStandardOutput('a tar');
  if (json) throw new FlattenError('USAGE', '--json and -o - both want standard output');
  if (process.stdout.isTTY) {
    throw new FlattenError('USAGE', '-o -: a tar is not for a terminal', {
      hint: 'pipe it: flatten IMAGE -o - | tar -tf -',
    });
  }
}

function collectConfig(value: string, before: readonly ConfigOut[] = []): readonly ConfigOut[] {
  const format = START_FORMATS.find((name) => value.startsWith(`${name}:`));
  const path = format === undefined ? value : value.slice(format.length + 1);
  if (path === '' || path === '-')
    throw new InvalidArgumentError('It is FILE or FORMAT:FILE, as env:app.env.');
  return [...before, { path, ...(format && { format }) }];
}
