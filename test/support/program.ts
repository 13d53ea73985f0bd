import { type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The compiled program, beside the compiled tests. */
export const CLI = fileURLToPath(new URL('../../src/cli.js', import.meta.url));

/** What a finished run left behind. */
export interface Run {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `flatten` with these arguments, to its end. */
export function run(
  args: readonly string[],
  options: { cwd?: string; input?: Buffer; env?: NodeJS.ProcessEnv } = {},
): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    ...options,
    env: { ...process.env, ...options.env },
    maxBuffer: 1 << 30,
  });
  return { code: status, stdout, stderr: stderr.toString() };
}

/** Starts `flatten` and leaves it running. */
export function start(args: readonly string[], options: SpawnOptions = {}) {
  return spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'], ...options });
}
