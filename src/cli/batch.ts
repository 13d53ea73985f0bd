import type { Command } from 'commander';
import { parseShard } from '../fleet/shard.js';
import type { BatchFlags } from './batch/flags.js';
import { addDiskOptions } from './disk-options.js';
import { addImageOptions, addKeepOptions } from './image-options.js';
import { addInputOptions } from './input-options.js';
import { parseCount, parseDuration } from './numbers.js';
import { addOutputOptions } from './output-options.js';
import { addProgressOption } from './progress.js';
import { addReportOptions } from './report.js';

/** `flatten batch LIST -o PATTERN`: converts many images. */
export function addBatch(program: Command, signal: AbortSignal): void {
  const command = program
    .command('batch')
    .summary('Convert the images of a list')
    .description(
      `Converts every image of a list, several at a time, each in a process of its own. An output that is there already, of the same image,
options and version, is left as it is: run it again to go on, to mend what failed, or to follow tags that have moved.`,
    )
    .argument(
      '<list>',
      'A file, or - for standard input: a reference a line, or {"image": "…", "output": "…", …} a line',
    )
    .optionsGroup('Output:')
    .requiredOption(
      '-o, --output <pattern>',
      'Where to write, with {registry}, {repository}, {name}, {tag}, {digest}, {platform} and {layers} in the name',
    );
  addOutputOptions(command)
    .optionsGroup('The list:')
    .option('-j, --jobs <count>', 'Convert so many at a time (default: by processors and memory)', parseCount)
    .option('--timeout <seconds>', 'Give up an image that takes longer: 90, 10m or 2h', parseDuration)
    .option(
      '--shard <part>',
      'Take only a part of the list: 3/8, or env for what Kubernetes or Slurm has set',
      (text) => parseShard(text),
    )
    .option('--report <file>', 'Write what came of each image to a file, as JSON lines')
    .option('--fail-fast', 'Stop at the first image that fails')
    .option('--keep-going', 'Go on when an image fails (the default)');
  addKeepOptions(addImageOptions(addInputOptions(command)));
  addDiskOptions(command);
  addProgressOption(addReportOptions(command));
  command.action(async (list: string, flags: BatchFlags) => {
    const { actOnBatch } = await import('./batch/act.js');
    await actOnBatch(list, flags, signal);
  });
}
