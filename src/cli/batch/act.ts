import { FlattenError } from '../../errors.js';
import { flattenBatch } from '../../fleet/batch.js';
import type { BatchEvent, BatchOptions, BatchResult } from '../../fleet/result.js';
import { splitDiskFlags } from '../disk-options.js';
import { EXIT } from '../exit.js';
import { splitImageFlags } from '../image-options.js';
import { splitImageName } from '../input-options.js';
import { printJson, reportFailure } from '../report.js';
import { inWords } from '../words.js';
import { Board } from './board.js';
import { entryOf } from './entry.js';
import type { BatchFlags } from './flags.js';
import { failureLines, resultLines, summaryLine } from './lines.js';
import { readList } from './read.js';
import { ReportFile } from './report-file.js';

/** Does what `flatten batch` was asked for. What stands in the way of all images is told with exit code 2, since nothing was started. */
export async function actOnBatch(list: string, flags: BatchFlags, signal: AbortSignal): Promise<void> {
  const work = new BatchWork(flags, signal);
  try {
    await work.run(list);
  } catch (error) {
    if (work.isBegun || signal.aborted) throw error;
    const code = reportFailure(error, flags, signal);
    process.exitCode = error instanceof FlattenError ? EXIT.usage : code;
  } finally {
    work.close();
  }
}

class BatchWork {
  readonly #flags: BatchFlags;
  readonly #signal: AbortSignal;
  readonly #board: Board;
  readonly #start = performance.now();
  readonly #results: BatchResult[] = [];
  readonly #failed: BatchResult[] = [];
  readonly #counts = { done: 0, current: 0, failed: 0 };
  #report: ReportFile | undefined;
  /** Whether an image may have been begun. */
  isBegun = false;

  constructor(flags: BatchFlags, signal: AbortSignal) {
    this.#flags = flags;
    this.#signal = signal;
    this.#board = new Board(process.stderr, flags);
  }

  async run(path: string): Promise<void> {
    const { report, failFast, keepGoing, json, quiet } = this.#flags;
    if (failFast && keepGoing)
      throw new FlattenError('USAGE', '--fail-fast and --keep-going: contradict each other', {
        hint: 'give one of the two',
      });
    const listed = await readList(path);
    const options = { ...optionsOf(this.#flags), signal: this.#signal, onEvent: this.#tell.bind(this) };
    if (report !== undefined) this.#report = new ReportFile(report);
    for await (const result of flattenBatch(listed, options)) this.#add(result);
    this.#board.end();
    const { done, current, failed } = this.#counts;
    const seconds = (performance.now() - this.#start) / 1000;
    if (json) printJson({ done, current, failed, seconds, images: this.#results.map(entryOf) });
    const summary = json || quiet ? [] : [summaryLine(this.#counts, seconds)];
    this.#board.print([...summary, ...failureLines(this.#failed, done + current + failed)]);
    if (failed > 0) process.exitCode = EXIT.partly;
  }

  close(): void {
    this.#board.end();
    this.#report?.close();
  }

  #add(result: BatchResult): void {
    const { state, output } = result;
    this.#counts[state]++;
    if (state === 'failed') this.#failed.push(result);
    if (this.#flags.json) this.#results.push(result);
    this.#report?.add(result);
    if (output !== undefined) this.#board.ended(output, state === 'failed');
    if (!this.#flags.quiet && !this.#flags.json) this.#board.print(resultLines(result));
  }

  #tell(event: BatchEvent): void {
    if (event.type === 'due') this.isBegun = true;
    if (event.type === 'warning') this.#warn(event.message);
    else if (event.type === 'run' && event.event.type === 'warning')
      this.#warn(`${event.output}: ${event.event.message}`);
    else this.#board.tell(event);
  }

  #warn(message: string): void {
    if (!this.#flags.quiet) this.#board.print([`flatten: warning: ${inWords(message)}`]);
  }
}

function optionsOf(flags: BatchFlags): BatchOptions {
  const { disk, rest: others } = splitDiskFlags(flags, flags.output ?? '');
  const { reference, rest: about } = splitImageName(others);
  const { image: imageOptions, rest } = splitImageFlags(about);
  const { json, quiet, verbose, progress: _, keepGoing: __, report, verify, ...options } = rest;
  return {
    ...options,
    ...(disk && { disk }),
    ...(imageOptions && { imageOptions }),
    ...(reference !== undefined && { reference }),
    ...(verify === false && { digests: false }),
    ...(verify === true && { verify: true }),
    // Somebody reads it there; of a disk image it takes another pass over all bytes.
    ...((json || report !== undefined) && { digest: true }),
  };
}
