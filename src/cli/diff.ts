import { type Command, InvalidArgumentError } from 'commander';
import type { DiffOptions } from '../inspect/diff/inputs.js';
import { addCacheOptions } from './cache-options.js';
import type { DiffFlags } from './diff/report.js';
import { EXIT } from './exit.js';
import { addGlobOptions, addReadOptions } from './input-options.js';
import { addProgressOption, Progress, type ProgressFlags } from './progress.js';
import { addReportOptions, type ReportFlags } from './report.js';

type Ignore = NonNullable<DiffOptions['ignore']>;

/** What `--ignore` takes. */
export const IGNORABLE = [
  'content',
  'target',
  'device',
  'mode',
  'owner',
  'time',
  'xattr',
  'links',
  'config',
] as const satisfies readonly (Ignore[number] | 'time')[];

/** The options of `flatten diff`, as commander gives them. */
type Flags = Omit<DiffOptions, 'before' | 'after' | 'signal' | 'onEvent' | 'tmp'> &
  DiffFlags &
  ReportFlags &
  ProgressFlags;

const HELP = `
A line says what happened, in what, where, and how:
  + added   - removed   R renamed (with the same content)   M changed   T of another type   C config
  c content, target or device number   m mode   o owner   t time   x xattrs   l hard links
Exit code 0: no difference; 1: some, or a failure; 2: usage.`;

/** `flatten diff A B`: what differs between two images, root filesystems or outputs. */
export function addDiff(program: Command, signal: AbortSignal): void {
  const command = program
    .command('diff')
    .summary('List what differs between two images or outputs')
    .description(
      'Compares two images, root filesystems, flat tars or disk images: names, types, content, modes, owners, times, link targets, xattrs, hard links, and the configs. Files that were renamed are found by their content.',
    )
    .argument('<before>', 'An image or an output: FILE, DIR, docker://NAME, disk.img')
    .argument('<after>', 'What it is compared with')
    .addHelpText('after', HELP);
  addCacheOptions(command).optionsGroup('Which images:');
  addProgressOption(
    addReportOptions(
      addGlobOptions(addReadOptions(command))
        .optionsGroup('Differences:')
        .option(
          '--ignore <what>',
          `Do not compare these, with commas: ${IGNORABLE.join(', ')} (repeatable)`,
          ignore,
        )
        .option('--stat', 'Print the sizes of what changed, with bars, and no metadata')
        .option('--content', 'Print how text files differ, line by line')
        .option('--no-fold', 'List every name below a directory that only one side has'),
    ),
  );
  command.action(async (before: string, after: string, flags: Flags) => {
    const { json, quiet, verbose, progress: _, stat, content, fold, ...options } = flags;
    const progress = new Progress(process.stderr, flags);
    try {
      const { withDiff } = await import('../inspect/diff/inputs.js');
      const { printDiff, totalOf } = await import('./diff/report.js');
      const onEvent = progress.show.bind(progress);
      await withDiff({ ...options, before, after, signal, onEvent }, async (diff) => {
        progress.end();
        await printDiff(diff, flags);
        if (totalOf(diff) > 0) process.exitCode = EXIT.failed;
      });
    } finally {
      progress.end();
    }
  });
}

function ignore(value: string, before: Ignore = []): Ignore {
  const words = value.split(',').map((word) => word.trim());
  const wrong = words.find((word) => !(IGNORABLE as readonly string[]).includes(word));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`It is one of ${IGNORABLE.join(', ')}, or several with commas.`);
  return [...before, ...words.map((word) => (word === 'time' ? 'mtime' : word) as Ignore[number])];
}
