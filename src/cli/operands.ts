import { existsSync, fstatSync } from 'node:fs';
import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';
import { meant } from './meant.js';

const NO_OUTPUT = 'the output is missing';

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
    const [second] = more;
    if (output === undefined && more.length === 1) {
      if (isThere || !existsSync(second!)) throw usage(NO_OUTPUT, meant(input, '-o', second!));
      throw usage(`${input}: is neither a command nor a file`, meant(second!, '-o', 'rootfs/'));
    }
    throw usage(
      `${more.join(' ')}: only one image can be flattened at a time`,
      meant(input, '-o', output ?? 'rootfs/'),
    );
  }
  if (output !== undefined) return { input, output };
  if (isThere || !/^[a-z0-9][a-z0-9._/-]*(:[\w.-]+)?$/.test(input))
    throw usage(NO_OUTPUT, meant(input, '-o', 'rootfs/'));
  throw usage(
    `${input}: is no file here, and the output is missing`,
    `for an image of a registry: ${meant(`docker://${input}`, '-o', 'rootfs/')}\nfor one of Docker or podman: ${meant(`docker-daemon:${input}`, '-o', 'rootfs/')}`,
  );
}

function noImage(output: string | undefined): FlattenError {
  const to = meant('-', '-o', output ?? 'rootfs/');
  if (isStandardInput()) return usage('the image is missing; - stands for standard input', to);
  return usage('the image is missing', meant('image.tar', '-o', output ?? 'rootfs/'));
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
