import { setImmediate as turn } from 'node:timers/promises';
import { BLOCK } from '../disk/block.js';
import type { Survey } from '../disk/survey.js';
import { throwIfAborted } from '../errors.js';
import { ContentReader } from '../layer/content.js';
import type { File } from '../rootfs/node.js';

const WINDOW = 2 ** 20;

/** Files of one content, whose blocks are stored once. */
export interface Sharers {
  /** The first, whose content is stored. */
  readonly first: File;
  readonly files: readonly File[];
}

/**
 * Groups files by content, in the order in which they are given. Files with equal sizes and checksums are compared by their bytes, each
 * with the first of its kind alone: no input makes many comparisons of one file.
 */
export async function shareContent(
  files: readonly File[],
  survey: Pick<Survey, 'runsOf' | 'sumsOf'>,
  signal: AbortSignal,
): Promise<Sharers[]> {
  const groups: { first: File; files: File[] }[] = [];
  const known = new Map<string, { first: File; files: File[] }>();
  const compare = new Comparison(survey, signal);
  try {
    for (const file of files) {
      const key = keyOf(file, survey);
      const group = known.get(key);
      if (group !== undefined && file.content.size > 0 && (await compare.isSame(group.first, file))) {
        group.files.push(file);
        continue;
      }
      const own = { first: file, files: [file] };
      groups.push(own);
      if (group === undefined) known.set(key, own);
    }
  } finally {
    compare.close();
  }
  return groups;
}

function keyOf(file: File, { sumsOf }: Pick<Survey, 'sumsOf'>): string {
  const sums = sumsOf(file);
  const bytes = Buffer.from(sums.buffer, sums.byteOffset, sums.byteLength);
  return `${file.content.size} ${bytes.toString('latin1')}`;
}

/** Compares files with each other, and lets others have their turn meanwhile. */
class Comparison {
  readonly #readers = [new ContentReader(), new ContentReader()] as const;
  readonly #windows = [Buffer.allocUnsafeSlow(WINDOW), Buffer.allocUnsafeSlow(WINDOW)] as const;
  readonly #runsOf: Survey['runsOf'];
  readonly #signal: AbortSignal;
  #sinceTurn = 0;

  constructor({ runsOf }: Pick<Survey, 'runsOf'>, signal: AbortSignal) {
    this.#runsOf = runsOf;
    this.#signal = signal;
  }

  /** Whether two files of one size have the same bytes. */
  async isSame(a: File, b: File): Promise<boolean> {
    const [runs, others] = [this.#runsOf(a), this.#runsOf(b)];
    if (runs.length !== others.length || runs.some((block, i) => block !== others[i])) return false;
    const { size } = a.content;
    for (let i = 0; i < runs.length; i += 2) {
      const end = Math.min(size, runs[i + 1]! * BLOCK);
      for (let start = runs[i]! * BLOCK; start < end; start += WINDOW) {
        if (!this.#equal(a, b, start, Math.min(WINDOW, end - start))) return false;
        await this.#turn(WINDOW);
      }
    }
    return true;
  }

  close(): void {
    for (const reader of this.#readers) reader.close();
  }

  #equal(a: File, b: File, start: number, length: number): boolean {
    const [left, right] = this.#windows.map((window) => window.subarray(0, length)) as [Buffer, Buffer];
    this.#readers[0].read(a.content, start, left);
    this.#readers[1].read(b.content, start, right);
    return left.equals(right);
  }

  async #turn(bytes: number): Promise<void> {
    this.#sinceTurn += bytes;
    if (this.#sinceTurn < 16 * WINDOW) return;
    this.#sinceTurn = 0;
    await turn();
    throwIfAborted(this.#signal);
  }
}
