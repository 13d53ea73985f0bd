import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { FlattenError, printable, throwIfAborted } from '../errors.js';
import type { Digest } from '../oci/digest.js';
import { DecompressOutput } from './decompress-output.js';
import type { HashName, JobOutput } from './job.js';

/** The programs that undo what Node cannot, and the packages of Debian that have them. */
const PROGRAMS = {
  // A sparse output would hide from the allowance how much there is: a file of holes does not grow while xz works.
  // Its memory is a stranger's choice: `xz -9` asks for 65 MiB.
  xz: { args: ['-dc', '--no-sparse', '--memlimit-decompress=160MiB'], install: 'xz-utils' },
  bzip2: { args: ['-dc'], install: 'bzip2' },
} as const;

/** Milliseconds between two looks at how much has been written. */
const LOOK = 20;

/** What {@link decompressByCommand} is asked for. */
export interface CommandOptions {
  readonly signal: AbortSignal;
  readonly stored?: HashName | undefined;
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Called when the work ends early: makes the input end. */
  readonly stop?: () => void;
}

/**
 * Decompresses bytes into a file with the system's `xz` or `bzip2`, and digests the stored bytes on the way. The program
 * is gone when this settles. Fails with `TOOL` where there is no such program, and with what the output throws.
 */
export async function decompressByCommand(
  program: keyof typeof PROGRAMS,
  input: Iterable<Buffer> | AsyncIterable<Buffer>,
  output: JobOutput,
  options: CommandOptions,
): Promise<Digest | undefined> {
  const { signal, stored, onProgress } = options;
  throwIfAborted(signal);
  const child = spawn(program, PROGRAMS[program].args, {
    stdio: ['pipe', output.fd, 'pipe'],
    env: { PATH: process.env.PATH, LC_ALL: 'C' },
  });
  const stop = new AbortController();
  const exited = exit(child, program);
  exited.catch((error: unknown) => stop.abort(error));
  const watch = watched(output, (error) => stop.abort(error));
  const kill = () => {
    child.kill('SIGKILL');
    options.stop?.();
  };
  const either = AbortSignal.any([signal, stop.signal]);
  either.addEventListener('abort', kill);
  try {
    const hash = stored && createHash(stored);
    await feed(child.stdin!, input, either, (chunk, done) => {
      hash?.update(chunk);
      onProgress?.(done);
    });
    await exited;
    watch.look();
    return hash && `${stored}:${hash.digest('hex')}`;
  } catch (error) {
    kill();
    await exited.catch(() => {});
    throwIfAborted(signal);
    throw stop.signal.reason ?? error;
  } finally {
    watch.end();
    either.removeEventListener('abort', kill);
  }
}

/** Writes all of the input to a program; a program that reads no more is no error here, its exit code tells. */
async function feed(
  stdin: Writable,
  input: Iterable<Buffer> | AsyncIterable<Buffer>,
  signal: AbortSignal,
  onChunk: (chunk: Buffer, done: number) => void,
): Promise<void> {
  let done = 0;
  stdin.on('error', () => {});
  for await (const chunk of input) {
    signal.throwIfAborted();
    done += chunk.length;
    onChunk(chunk, done);
    if (!stdin.destroyed) await new Promise<void>((written) => stdin.write(chunk, () => written()));
  }
  stdin.end();
}

/** Looks every now and then at what a program has written. */
function watched(output: JobOutput, fail: (error: unknown) => void) {
  const written = new DecompressOutput(output);
  const look = () => written.grown(fstatSync(output.fd).size);
  const timer = setInterval(() => {
    try {
      look();
    } catch (error) {
      clearInterval(timer);
      fail(error);
    }
  }, LOOK);
  return { look, end: () => clearInterval(timer) };
}

/** Resolves when a program has ended well. */
async function exit(child: ChildProcess, program: keyof typeof PROGRAMS): Promise<void> {
  let tail = '';
  child.stderr!.on('data', (bytes: Buffer) => {
    tail = (tail + bytes.toString('latin1')).slice(-500);
  });
  let code: number | null;
  let killed: string | null;
  try {
    [code, killed] = await once(child, 'close');
  } catch (cause) {
    throw new FlattenError('TOOL', `${program}: ${(cause as Error).message}`, {
      hint: `install it: apt-get install ${PROGRAMS[program].install}`,
      cause,
    });
  }
  if (code === 0) return;
  const said = printable(tail.trim().replaceAll(/\s*\n\s*/g, '; '));
  if (killed !== null) throw new FlattenError('TOOL', `${program}: was ended by ${killed}: ${said}`);
  if (/No space left|memory usage limit|Cannot allocate/i.test(said)) {
    const isLarge = /memory usage limit/i.test(said);
    throw new FlattenError('TOOL', `${program}: ended with code ${code}: ${said}`, {
      ...(isLarge && { hint: 'if you trust the image, decompress it first: xz -dc IMAGE | flatten - …' }),
    });
  }
  throw new FlattenError('BAD_LAYER', `the ${program} data is cut short or corrupt (${said})`);
}
