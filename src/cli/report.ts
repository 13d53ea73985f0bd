import type { Command } from 'commander';
import type { DiskPlan } from '../disk-plan.js';
import { FlattenError, isSystemError, printable, systemError } from '../errors.js';
import { shown, shownLayers } from '../oci/shown.js';
import type { FlattenResult } from '../options.js';
import { showCounts, totalOf } from '../rootfs/difference-counts.js';
import type { SealCheck } from '../sealed/check.js';
import { countText } from '../size-text.js';
import type { VerifyResult } from '../verify.js';
import { red } from './colour.js';
import { EXIT } from './exit.js';
import { showSize } from './numbers.js';
import { inWords } from './words.js';

/** Options of every command that reports, as commander gives them. */
export interface ReportFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Adds the options that say how much is printed, and how. */
export function addReportOptions(command: Command): Command {
  return command
    .optionsGroup('Messages:')
    .option('--json', 'Print the result as JSON on standard output')
    .option('-q, --quiet', 'Print nothing but errors')
    .option('-v, --verbose', 'Print more about an error');
}

/** Prints what was written: JSON on standard output if asked for, else the losses and the summary line on stderr. */
export function reportResult(result: FlattenResult, { json, quiet }: ReportFlags): void {
  if (json) {
    const { artifact, ...rest } = result;
    const losses = artifact.losses.map(({ example, reason, ...loss }) => ({
      ...loss,
      example: printable(example),
      reason: inWords(reason),
    }));
    printJson({ ...rest, ...artifact, losses });
  }
  if (json || quiet) return;
  for (const { kind, count, example, reason } of result.artifact.losses) {
    process.stderr.write(
      `flatten: not held: ${kind} of ${countText(count)} (first: ${printable(example)}): ${inWords(reason)}\n`,
    );
  }
  process.stderr.write(`${summary(result)}\n`);
}

function summary({ image, artifact, seconds }: FlattenResult): string {
  const { output, entries, bytes, digest, reference, verity } = artifact;
  const parts = [
    `${countText(entries)} entries`,
    showSize(bytes),
    ...(digest && reference === undefined ? [digest] : []),
    ...(verity ? [`root hash ${verity.rootHash}`] : []),
    `${seconds.toFixed(2)} s`,
  ];
  const name = shown(image.name);
  const layers = image.kind === 'rootfs' ? name : `${name} (${shownLayers(image.layers)})`;
  return `${reference ?? (output === '-' ? 'standard output' : output)}: ${parts.join(', ')}, from ${layers}`;
}

/** Prints how a disk image's size comes together. */
export function reportPlan({ lines, ...plan }: DiskPlan, { json }: ReportFlags): void {
  if (json) printJson(plan);
  else process.stdout.write(`${lines.join('\n')}\n`);
}

/** Prints faults and differences that are listed on standard output, and on stderr how many there are of each kind. */
export function reportDifferences(
  { output, input }: { readonly output: string; readonly input?: string },
  result: VerifyResult,
  { json, quiet }: ReportFlags,
): void {
  const { entries, differences, counts, seal } = result;
  if (json) {
    const listed = differences.map(({ kind, path, what }) => ({
      kind,
      path: printable(path) || '.',
      what: printable(what),
    }));
    printJson({ entries, counts, differences: listed, ...(seal && { seal: sealShown(seal) }) });
  } else {
    for (const { path, what } of seal?.faults ?? [])
      process.stdout.write(`${path === undefined ? output : printable(path)}: ${printable(what)}\n`);
    for (const { path, what } of differences)
      process.stdout.write(`${printable(path) || '.'}: ${printable(what)}\n`);
  }
  if (json || quiet) return;
  const found = seal === undefined ? [] : [sealFound(seal)];
  if (seal === undefined || (input !== undefined && seal.count === 0)) found.push(foundIn(result));
  const counted = entries > 0 || seal === undefined ? [`${countText(entries)} entries`] : [];
  process.stderr.write(`${output}: ${[...counted, ...found].join(', ')}\n`);
}

function sealShown({ faults, ...seal }: SealCheck): object {
  const listed = faults.map(({ path, ...fault }) => ({
    ...fault,
    ...(path !== undefined && { path: printable(path) }),
  }));
  return { ...seal, faults: listed };
}

function sealFound({ count, dataBlocks, unknownBlocks, rootHash, trust }: SealCheck): string {
  const blocks = `${countText(dataBlocks)} blocks`;
  if (count === 0)
    return `${blocks} as the hash tree has them, root hash ${rootHash}${trust === 'nobody' ? ', which nobody has said' : ''}`;
  const unknown = unknownBlocks > 0 ? `; of ${countText(unknownBlocks)} nothing can be said` : '';
  return `${countText(count)} ${count === 1 ? 'fault' : 'faults'} in ${blocks} or their hash tree${unknown}`;
}

function foundIn({ differences, counts }: VerifyResult): string {
  const total = totalOf(counts);
  if (total === 0) return 'as the image has them';
  const isCut = total > differences.length;
  const more = isCut ? `; ${countText(differences.length)} are listed (--limit 0 lists all)` : '';
  return `${countText(total)} difference${total === 1 ? '' : 's'}: ${showCounts(counts)}${more}`;
}

/** Prints what a command did that writes no output, such as `mount`. */
export function reportDone(result: object, { json }: ReportFlags): void {
  if (json) printJson(result);
}

/** The version of what `--json` prints: it grows when a field is taken away or gets another meaning, not when one is added. */
export const JSON_VERSION = 1;

/** Prints an answer as JSON. */
export function printJson(value: object): void {
  process.stdout.write(`${JSON.stringify({ version: JSON_VERSION, ...value }, undefined, 2)}\n`);
}

/** Prints a failure and gives the exit code for it. Standard output that has failed is told of elsewhere. */
export function reportFailure(error: unknown, flags: ReportFlags, signal: AbortSignal): number {
  if (signal.aborted && signal.reason instanceof Error) return EXIT.failed;
  if ((error as NodeJS.ErrnoException)?.code === 'EPIPE') return EXIT.failed;
  const failure = isSystemError(error) ? systemError(error) : error;
  if (!(failure instanceof FlattenError)) return reportBug(error, flags);
  const { code, layer, path, option, counts } = failure;
  const message = inWords(failure.message);
  const hint = failure.hint && inWords(failure.hint);
  const place = { layer: layer && inWords(layer), path: path && printable(path) };
  if (flags.json) printJson({ error: { code, message, ...place, option, counts, hint } });
  printError(message, hint);
  if (flags.verbose && failure.stack) process.stderr.write(`${failure.stack}\n`);
  return code === 'USAGE' ? EXIT.usage : code === 'INTERRUPTED' ? EXIT.interrupted : EXIT.failed;
}

/** Prints what nobody has foreseen, and gives the exit code for it. */
export function reportBug(error: unknown, { json }: ReportFlags = {}): number {
  const { message = String(error), stack = message } = error instanceof Error ? error : {};
  if (json) printJson({ error: { code: 'BUG', message } });
  process.stderr.write(`flatten: this is a bug in flatten: ${stack}\n`);
  return EXIT.failed;
}

/** Prints that standard output does not take what is printed. A reader that has seen enough (`| head`) is no error of ours. */
export function reportStandardOutput({ code, message }: NodeJS.ErrnoException): void {
  if (code !== 'EPIPE') printError(`standard output: ${message}`);
}

function printError(message: string, hint?: string): void {
  process.stderr.write(`flatten: ${red('error')}: ${message}\n`);
  if (hint !== undefined) process.stderr.write(`  ${hint.replaceAll('\n', '\n  ')}\n`);
}
