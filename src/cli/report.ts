import { styleText } from 'node:util';
import { FlattenError, printable } from '../errors.js';
import type { FlattenResult } from '../flatten.js';
import { EXIT } from './exit.js';
import { showCount, showSize } from './numbers.js';

/** Prints what was written: JSON on standard output if asked for, else the losses and the summary line on stderr. */
export function reportResult(
  result: FlattenResult,
  { json, quiet }: { json: boolean; quiet: boolean },
): void {
  if (json) process.stdout.write(`${JSON.stringify(asJson(result), undefined, 2)}\n`);
  if (json || quiet) return;
  for (const { kind, count, example, reason } of result.artifact.losses) {
    process.stderr.write(
      `flatten: not held: ${kind} of ${showCount(count)} (first: ${printable(example)}): ${reason}\n`,
    );
  }
  process.stderr.write(`${summary(result)}\n`);
}

function asJson({ artifact, ...result }: FlattenResult): object {
  const losses = artifact.losses.map((loss) => ({ ...loss, example: printable(loss.example) }));
  return { ...result, ...artifact, losses };
}

function summary({ image, artifact, seconds }: FlattenResult): string {
  const { output, entries, bytes, digest } = artifact;
  const parts = [
    `${showCount(entries)} entries`,
    showSize(bytes),
    ...(digest ? [digest] : []),
    `${seconds.toFixed(2)} s`,
  ];
  const layers =
    image.kind === 'rootfs'
      ? image.name
      : `${image.name} (${image.layers} layer${image.layers === 1 ? '' : 's'})`;
  return `${output === '-' ? 'standard output' : output}: ${parts.join(', ')}, from ${layers}`;
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
  if (has('--json')) {
    const details = { code, message, layer, path: path && printable(path), hint };
    process.stdout.write(`${JSON.stringify({ error: details }, undefined, 2)}\n`);
  }
  const isColoured = process.stderr.isTTY && !process.env.NO_COLOR;
  process.stderr.write(`flatten: ${isColoured ? styleText('red', 'error') : 'error'}: ${message}\n`);
  if (hint !== undefined) process.stderr.write(`  ${hint.replaceAll('\n', '\n  ')}\n`);
  if (has('-v', '--verbose') && error.stack) process.stderr.write(`${error.stack}\n`);
  return code === 'USAGE' ? EXIT.usage : code === 'INTERRUPTED' ? EXIT.interrupted : EXIT.failed;
}
