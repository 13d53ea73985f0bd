import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FlattenOptions } from '../../src/options.js';

/** How a run in a process of its own went. */
export interface Measured {
  /** Names in the tree; or the error. */
  readonly entries?: number;
  readonly code?: string;
  readonly message?: string;
  readonly hint?: string;
  readonly seconds: number;
  /** Bytes of memory at the most, threads included. */
  readonly peak: number;
  /** Bytes that it and its programs wrote, temporary files and pipes included. */
  readonly written: number;
}

/** Flattens in a process whose JavaScript heap may have `heap` MiB. Asserts that it ends by itself, with a result or a FlattenError. */
export function measured(options: FlattenOptions, heap = 512): Measured {
  const program = fileURLToPath(new URL('./measured-run.js', import.meta.url));
  const args = [`--max-old-space-size=${heap}`, program, JSON.stringify(options)];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, {
    timeout: 120_000,
    encoding: 'utf8',
  });
  assert.equal(status, 0, `ended by ${signal ?? status}: ${stderr.slice(0, 1000)}`);
  return JSON.parse(stdout) as Measured;
}
