import type { Command } from 'commander';
import { refuseIdleCache } from './cache-options.js';
import { EXIT } from './exit.js';
import { addInputOptions, type InputFlags, splitImageName } from './input-options.js';
import { parseCount } from './numbers.js';
import { addProgressOption, Progress, type ProgressFlags } from './progress.js';
import { addReportOptions, type ReportFlags, reportDifferences } from './report.js';

/** The options of `flatten verify`, as commander gives them. */
type Flags = InputFlags & ReportFlags & ProgressFlags & { readonly limit: number };

/** `flatten verify OUTPUT IMAGE`: compares what was written with what it was written from. */
export function addVerify(program: Command, signal: AbortSignal): void {
  const command = program
    .command('verify')
    .summary('Compare an output with the image it was made from')
    .description(
      'Reads a disk image, a flat tar or a directory back without mounting it, lists its differences from the image, and counts them by kind.',
    )
    .argument('<output>', 'What was written: FILE.img, FILE.erofs, FILE.tar, rootfs/')
    .argument('<image>', 'The image it was written from');
  addProgressOption(
    addReportOptions(
      addInputOptions(command)
        .optionsGroup('Differences:')
        .option('--limit <count>', 'List at most this many differences; 0 lists all', parseCount, 100),
    ),
  );
  command.action(async (output: string, input: string, flags: Flags) => {
    await refuseIdleCache(input, flags);
    const { json, quiet, verbose, progress: _, limit, ...others } = flags;
    const { reference, rest: options } = splitImageName(others);
    const progress = new Progress(process.stderr, flags);
    try {
      const { verify } = await import('../verify.js');
      const result = await verify({
        ...options,
        ...(reference !== undefined && { reference }),
        input,
        output,
        ...(limit > 0 && { limit }),
        signal,
        onEvent: progress.show.bind(progress),
      });
      progress.end();
      reportDifferences(output, result, flags);
      if (result.differences.length > 0) process.exitCode = EXIT.failed;
    } finally {
      progress.end();
    }
  });
}
