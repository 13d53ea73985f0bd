import { readFileSync } from 'node:fs';
import { FlattenError } from '../../src/errors.js';
import { flatten } from '../../src/flatten.js';
import type { FlattenOptions } from '../../src/options.js';

/** The program of `measured.ts`: flattens as its argument says, and prints what came of it. */
const start = performance.now();
const outcome = await flatten(JSON.parse(process.argv[2]!) as FlattenOptions).then(
  ({ artifact }) => ({ entries: artifact.entries }),
  (error: unknown) => {
    if (!(error instanceof FlattenError)) throw error;
    return { code: error.code, message: error.message, hint: error.hint };
  },
);
const seconds = (performance.now() - start) / 1000;
// Not resourceUsage(), which counts what the process was before it became this program.
const peak = Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))![1]) * 1024;
const written = Number(/wchar: (\d+)/.exec(readFileSync('/proc/self/io', 'latin1'))![1]);
console.log(JSON.stringify({ ...outcome, seconds, peak, written }));
