import { BLOCK } from './header.js';
import { MAX_MAP, type Run } from './sparse.js';

/**
 * The runs grown to whole blocks, the file's end excepted. GNU tar begins every run's bytes on a block and counts only
 * their true number, so it can read no archive where they differ.
 */
export function blockRuns(runs: readonly Run[], size: number): Run[] {
  const grown: { start: number; length: number }[] = [];
  for (const run of runs) {
    const start = run.start - (run.start % BLOCK);
    const end = Math.min(size, Math.ceil((run.start + run.length) / BLOCK) * BLOCK);
    const last = grown.at(-1);
    if (last !== undefined && start <= last.start + last.length) last.length = end - last.start;
    else grown.push({ start, length: end - start });
  }
  return grown;
}

/**
 * The map at the start of a sparse file's body, GNU.sparse 1.0 (GNU tar manual, "PAX Format"): the count of runs, then
 * offset and length of each, a decimal line each, padded to a block. The last run is empty and stands at the file's
 * end, as GNU tar writes it. Undefined where it would be longer than readers take (Go's archive/tar, and this one).
 */
export function sparseMap(runs: readonly Run[], size: number): Buffer | undefined {
  const lines: number[] = [runs.length + 1];
  for (const { start, length } of runs) lines.push(start, length);
  lines.push(size, 0);
  const text = `${lines.join('\n')}\n`;
  if (text.length > MAX_MAP) return undefined;
  const map = Buffer.alloc(Math.ceil(text.length / BLOCK) * BLOCK);
  map.write(text, 'latin1');
  return map;
}

/** Whether readers take the map of these runs, so that a tar can hold the file without its holes. */
export function isMappable(runs: readonly Run[], size: number): boolean {
  const least = runs.length * 4; // two digits and two line ends
  return least <= MAX_MAP && sparseMap(blockRuns(runs, size), size) !== undefined;
}

/** The bytes that runs take. */
export function runBytes(runs: readonly Run[]): number {
  return runs.reduce((total, { length }) => total + length, 0);
}
