import { styleText } from 'node:util';
import type { Command } from 'commander';
import { FlattenError, printable } from '../errors.js';
import type { FlattenResult } from '../flatten.js';
import { shown } from '../oci/shown.js';
import type { DiskPlan } from '../plan.js';
import type { VerifyResult } from '../verify.js';
import { EXIT } from './exit.js';
import { showCount, showSize } from './numbers.js';

/** Options of every command that reports, as commander gives them. */
export interface ReportFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Adds the options that say how much is printed, and how. */
export function addReportOptions(command: Command): Command {
  return command
    .option('--json', 'print the result as JSON on standard output')
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'say more: the whole error');
}

/** Prints what was written: JSON on standard output if asked for, else the losses and the summary line on stderr. */
export function reportResult(result: FlattenResult, { json, quiet }: ReportFlags): void {
  if (json) {
    const { artifact, ...rest } = result;
    const losses = artifact.losses.map((loss) => ({ ...loss, example: printable(loss.example) }));
    printJson({ ...rest, ...artifact, losses });
  }
  if (json || quiet) return;
  for (const { kind, count, example, reason } of result.artifact.losses) {
    process.stderr.write(
      `flatten: not held: ${kind} of ${showCount(count)} (first: ${printable(example)}): ${reason}\n`,
    );
  }
  process.stderr.write(`${summary(result)}\n`);
}

function summary({ image, artifact, seconds }: FlattenResult): string {
  const { output, entries, bytes, digest } = artifact;
  const parts = [
    `${showCount(entries)} entries`,
    showSize(bytes),
    ...(digest ? [digest] : []),
    `${seconds.toFixed(2)} s`,
  ];
  const name = shown(image.name);
  const layers =
    image.kind === 'rootfs' ? name : `${name} (${image.layers} layer${image.layers === 1 ? '' : 's'})`;
  return `${output === '-' ? 'standard output' : output}: ${parts.join(', ')}, from ${layers}`;
}

/** Prints how a disk image's size comes together. */
export function reportPlan({ lines, ...plan }: DiskPlan, { json }: ReportFlags): void {
  if (json) printJson(plan);
  else process.stdout.write(`${lines.join('\n')}\n`);
}

/** Prints each difference on standard output, and their number on stderr. */
export function reportDifferences(output: string, result: VerifyResult, { json, quiet }: ReportFlags): void {
  const { entries, differences } = result;
  if (json) {
    printJson({
      entries,
      differences: differences.map(({ path, what }) => ({
        path: printable(path) || '.',
        what: printable(what),
      })),
    });
  } else {
    for (const { path, what } of differences)
      process.stdout.write(`${printable(path) || '.'}: ${printable(what)}\n`);
  }
  if (json || quiet) return;
  const found =
    differences.length === 0
      ? 'as the image has them'
      : `${showCount(differences.length)} difference${differences.length === 1 ? '' : 's'}`;
  process.stderr.write(`${output}: ${showCount(entries)} entries, ${found}\n`);
}

function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Prints a failure and gives the exit code for it. */
export function reportFailure(error: unknown, argv: readonly string[], signal: AbortSignal): number {
  const has = (...flags: string[]) => flags.some((flag) => argv.includes(flag));
  if (signal.aborted && signal.reason === 'EPIPE') return EXIT.failed;
  if ((error as NodeJS.ErrnoException)?.code === 'EPIPE') return EXIT.failed;
  if (!(error instanceof FlattenError)) {
    process.stderr.write(`flatten: this is a bug in flatten: ${(error as Error)?.stack ?? error}\n`);
    return EXIT.failed;
  }
  const { code, message, layer, path, hint } = error;
  if (has('--json')) printJson({ error: { code, message, layer, path: path && printable(path), hint } });
  const isColoured = process.stderr.isTTY && !process.env.NO_COLOR;
  process.stderr.write(`flatten: ${isColoured ? styleText('red', 'error') : 'error'}: ${message}\n`);
  if (hint !== undefined) process.stderr.write(`  ${hint.replaceAll('\n', '\n  ')}\n`);
  if (has('-v', '--verbose') && error.stack) process.stderr.write(`${error.stack}\n`);
  return code === 'USAGE' ? EXIT.usage : code === 'INTERRUPTED' ? EXIT.interrupted : EXIT.failed;
}
