import { FlattenError, throwIfAborted } from '../../errors.js';
import { findProgram } from '../../host/program.js';
import type { WriteBytes } from '../archive/writer.js';
import { LEVEL } from './options.js';

const INSTALL =
  'install squashfs-tools 4.5 or later: apt install squashfs-tools, dnf install squashfs-tools, apk add squashfs-tools';
const TAIL_LINES = 6;
/** Version 4.5 says so of large device numbers of 12 and 20 bits, which Linux has at most, and which it keeps. */
const FALSE_ALARM = /^(Major|Minor) -\d+ out of range in device node .*, truncating to \d+\n?/gm;

/** The path of sqfstar, which comes with a mksquashfs that reads tars; throws `TOOL` where it is not installed. */
export function findSqfstar(): string {
  return findProgram('sqfstar', INSTALL);
}

/** The program and its words. Versions 4.5 of sqfstar refuse options that have a value, as a level; `mksquashfs -tar` does the same and takes them. */
function commandLine(
  path: string,
  options: readonly string[],
  hasLevel: boolean,
): [string, readonly string[]] {
  const sqfstar = findSqfstar();
  return hasLevel
    ? [findProgram('mksquashfs', INSTALL), ['-', path, '-tar', ...options]]
    : [sqfstar, [...options, path]];
}

/** How sqfstar is run. */
export interface SqfstarOptions {
  readonly path: string;
  /** Seconds since 1970: no time is later, and the root directory and the file system have it. */
  readonly time: number;
  /** Of the root directory. */
  readonly mode: number;
  /** How it is to compress. */
  readonly how: readonly string[];
  readonly signal: AbortSignal;
}

/**
 * Has sqfstar make a new file of the tar that `write` emits. What it warns of is an error too: whatever it cannot hold was left
 * out of the tar before. Throws `TOOL` with the end of what it said, `INTERRUPTED`; it is gone when this settles.
 */
export async function sqfstar(
  { path, time, mode, how, signal }: SqfstarOptions,
  write: (put: WriteBytes) => Promise<void>,
): Promise<void> {
  const { execa } = await import('execa');
  const options = [...how, '-quiet', '-no-progress', '-root-mode', mode.toString(8)];
  const [program, args] = commandLine(path, options, how.includes(LEVEL));
  const running = execa(program, args, {
    cancelSignal: signal,
    cwd: '/',
    stdin: 'pipe',
    stdout: 'ignore',
    reject: false,
    extendEnv: false,
    env: { LC_ALL: 'C', TZ: 'UTC', SOURCE_DATE_EPOCH: String(time), PATH: process.env.PATH ?? '' },
  });
  const { stdin } = running;
  stdin.on('error', () => {}); // a program that reads no more says why in the end
  const put: WriteBytes = (bytes) =>
    new Promise((resolve) => {
      if (stdin.destroyed) resolve();
      else stdin.write(bytes, () => resolve());
    });
  try {
    await write(put);
    stdin.end();
  } catch (error) {
    running.kill();
    await running;
    throw error;
  }
  const result = await running;
  throwIfAborted(signal);
  const said = result.stderr.replaceAll(FALSE_ALARM, '').trim();
  if (!result.failed && said === '') return;
  const tail = said.split('\n').slice(-TAIL_LINES).join(' | ') || result.shortMessage;
  throw new FlattenError('TOOL', `sqfstar failed: ${tail}`, {
    hint: `the command was: ${result.command}`,
    cause: result,
  });
}
