import { existsSync, fstatSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';

/** What the words of a command line besides its options are to the main command. */
export interface Operands {
  readonly words: readonly string[];
  /** Of `-o`. */
  readonly output: string | undefined;
  /** The names of the other commands. */
  readonly commands: readonly string[];
}

/** The image and the output of the main command. Throws `USAGE` where one is missing or too many, with the command that was meant. */
export function imageAndOutput({ words, output, commands }: Operands): { input: string; output: string } {
  const [input, ...more] = words;
  if (input === undefined) throw noImage(output);
  const isThere = input === '-' || existsSync(input);
  const command = isThere ? undefined : nearest(input, commands, 1)[0];
  if (command !== undefined && (more.length > 0 || output === undefined)) {
    throw usage(`${input}: is neither a command nor a file`, meant(command, ...more));
  }
  if (more.length > 0) {
    if (output === undefined && more.length === 1) throw usage('no output', meant(input, '-o', more[0]!));
    throw usage(
      `${more.join(' ')}: one image is flattened at a time`,
      meant(input, '-o', output ?? 'rootfs/'),
    );
  }
  if (output !== undefined) return { input, output };
  if (isThere || !/^[a-z0-9][a-z0-9._/-]*(:[\w.-]+)?$/.test(input))
    throw usage('no output', meant(input, '-o', 'rootfs/'));
  throw usage(
    `${input}: no such file, and no output`,
    `for an image of Docker or podman: ${meant(`docker-daemon:${input}`, '-o', 'rootfs/')}`,
  );
}

function noImage(output: string | undefined): FlattenError {
  const to = meant('-', '-o', output ?? 'rootfs/');
  if (isStandardInput()) return usage('no image is named, and - stands for standard input', to);
  return usage('no image', `name one: ${meant('image.tar', '-o', output ?? 'rootfs/')}`);
}

/** Whether somebody gives something on standard input. */
function isStandardInput(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isFile();
  } catch {
    return false;
  }
}

function usage(what: string, hint: string): FlattenError {
  return new FlattenError('USAGE', what, { hint });
}

/** A command line to type. */
function meant(...words: readonly string[]): string {
  return ['flatten', ...words.map(quoted)].join(' ');
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
