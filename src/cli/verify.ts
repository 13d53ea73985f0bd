import type { Command } from 'commander';
import { FlattenError } from '../errors.js';
import type { SealOptions } from '../sealed/find.js';
import { refuseIdleCache } from './cache-options.js';
import { EXIT } from './exit.js';
import { addInputOptions, type InputFlags, splitImageName } from './input-options.js';
import { meant } from './meant.js';
import { parseCount } from './numbers.js';
import { addProgressOption, Progress, type ProgressFlags } from './progress.js';
import { addReportOptions, type ReportFlags, reportDifferences } from './report.js';
import { addSealOptions } from './seal-options.js';

/** The options of `flatten verify`, as commander gives them. */
type Flags = InputFlags & ReportFlags & ProgressFlags & SealOptions & { readonly limit: number };

/** `flatten verify OUTPUT [IMAGE]`: compares what was written with what it was written from, and with its hash tree. */
export function addVerify(program: Command, signal: AbortSignal): void {
  const command = program
    .command('verify')
    .summary('Compare an output with the image it was made from')
    .description(
      `Reads a disk image, a flat tar or a directory back without mounting it, lists its differences from the image, and counts them by kind.
A disk image with a hash tree (dm-verity) is compared with that first; for one the image may be left out.`,
    )
    .argument('<output>', 'What was written: FILE.img, FILE.erofs, FILE.tar, rootfs/')
    .argument('[image]', 'The image it was written from');
  addProgressOption(
    addReportOptions(
      addInputOptions(command)
        .optionsGroup('Differences:')
        .option('--limit <count>', 'List at most this many differences; 0 lists all', parseCount, 100),
    ),
  );
  addSealOptions(command);
  command.action(async (output: string, input: string | undefined, flags: Flags) => {
    if (input !== undefined) await refuseIdleCache(input, flags);
    const { json, quiet, verbose, progress: _, limit, ...others } = flags;
    const { reference, rest: options } = splitImageName(others);
    const progress = new Progress(process.stderr, flags);
    try {
      const { isSealed, verify } = await import('../verify.js');
      if (input === undefined && !(await isSealed({ ...options, output }))) throw noImage(output);
      const result = await verify({
        ...options,
        ...(reference !== undefined && { reference }),
        ...(input !== undefined && { input }),
        output,
        ...(limit > 0 && { limit }),
        signal,
        onEvent: progress.show.bind(progress),
      });
      progress.end();
      reportDifferences({ output, ...(input !== undefined && { input }) }, result, flags);
      if (result.differences.length > 0 || result.seal?.count) process.exitCode = EXIT.failed;
    } finally {
      progress.end();
    }
  });
}

function noImage(output: string): FlattenError {
  return new FlattenError(
    'USAGE',
    `IMAGE is missing: ${output} has no hash tree that it could be compared with`,
    {
      hint: meant('verify', output, 'image.tar'),
    },
  );
}
