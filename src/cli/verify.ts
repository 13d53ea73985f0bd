import type { Command } from 'commander';
import { EXIT } from './exit.js';
import { addInputOptions, type InputFlags } from './input-options.js';
import { Progress } from './progress.js';
import { addReportOptions, type ReportFlags, reportDifferences } from './report.js';
import { requireStandardOutput } from './streams.js';

/** `flatten verify OUTPUT IMAGE`: compares what was written with what it was written from. */
export function addVerify(program: Command, signal: AbortSignal): void {
  const command = program
    .command('verify')
    .summary('compare an output with the image it was made of')
    .description(
      'Reads a disk image, a flat tar or a directory back, without mounting it, and lists every difference from the image.',
    )
    .argument('<output>', 'what was written: FILE.img, FILE.tar, rootfs/')
    .argument('<image>', 'what it was written from');
  addReportOptions(addInputOptions(command));
  command.action(async (output: string, input: string, flags: InputFlags & ReportFlags) => {
    const { json, quiet, verbose, ...options } = flags;
    if (json) requireStandardOutput('JSON');
    const progress = new Progress(process.stderr, quiet ?? false);
    try {
      const { verify } = await import('../verify.js');
      const result = await verify({
        ...options,
        input,
        output,
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
