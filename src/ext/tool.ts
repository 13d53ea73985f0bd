import { FlattenError, throwIfAborted } from '../errors.js';
import { findProgram } from '../host/program.js';

const INSTALL =
  'install e2fsprogs 1.45 or later: apt install e2fsprogs, dnf install e2fsprogs, apk add e2fsprogs e2fsprogs-extra';
const TAIL_LINES = 6;

/** What a program of e2fsprogs is run with. */
export interface ToolOptions {
  readonly signal: AbortSignal;
  /** What the program takes for the current time: seconds since 1970, not 0. */
  readonly time: number;
}

/** The path of a program of e2fsprogs; throws `TOOL` where there is none. */
export function findTool(name: string): string {
  return findProgram(name, INSTALL);
}

/**
 * Runs a program of e2fsprogs, in an environment that holds nothing but what pins its output, and returns what it
 * wrote. Throws `TOOL` with command, exit code and the tail of its messages where the exit code is not 0; `INTERRUPTED` on abort.
 */
export async function runTool(name: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const file = findTool(name);
  const { execa } = await import('execa');
  const time = String(options.time);
  const result = await execa(file, args, {
    cancelSignal: options.signal,
    cwd: '/', // paths are absolute; where we work may be gone
    stdin: 'ignore',
    all: true,
    reject: false,
    extendEnv: false,
    env: {
      LC_ALL: 'C',
      TZ: 'UTC',
      MKE2FS_CONFIG: '/dev/null',
      E2FSCK_CONFIG: '/dev/null',
      E2FSPROGS_FAKE_TIME: time,
      SOURCE_DATE_EPOCH: time,
    },
  });
  throwIfAborted(options.signal);
  if (!result.failed) return result.all;
  const code =
    result.exitCode === undefined ? (result.signal ?? 'no exit code') : `exit code ${result.exitCode}`;
  const tail = (result.all ?? '').trim().split('\n').slice(-TAIL_LINES).join(' | ');
  throw new FlattenError('TOOL', `${name} failed with ${code}: ${tail || result.shortMessage}`, {
    hint: `the command was: ${[file, ...args].map(quoted).join(' ')}`,
    cause: result,
  });
}

function quoted(word: string): string {
  return /^[\w./:,=^-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Throws `TOOL` where e2fsprogs are not installed; runs nothing. */
export function findExtTools(): void {
  findTool('mke2fs');
}

const known = new Set<string>();

/** Throws `TOOL` where mke2fs is missing, or older than what we know to work. Asks each mke2fs once. */
export async function checkExtTools(signal: AbortSignal): Promise<void> {
  const file = findTool('mke2fs');
  if (known.has(file)) return;
  const said = await runTool('mke2fs', ['-V'], { signal, time: 1 });
  const [, version, major, minor] = /mke2fs ((\d+)\.(\d+)\S*)/.exec(said) ?? [];
  if (version !== undefined && Number(major) <= 1 && Number(minor) < 45) {
    throw new FlattenError('TOOL', `mke2fs ${version}: is too old`, { hint: INSTALL });
  }
  known.add(file);
}
