import { existsSync, fstatSync } from 'node:fs';
import { FlattenError } from '../errors.js';

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
  const command = isThere ? undefined : nearest(input, commands);
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
    `for an image of Docker: docker save ${input} | flatten - -o rootfs/`,
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

/** The name that a word differs from by no more than one slip in three letters; undefined where there is none. */
function nearest(word: string, names: readonly string[]): string | undefined {
  const [first] = names
    .map((name) => ({ name, slips: slips(word, name) }))
    .filter(({ name, slips }) => slips <= name.length / 3)
    .sort((a, b) => a.slips - b.slips);
  return first?.name;
}

/** How many letters must be put in, left out, changed, or swapped with the next. */
function slips(word: string, name: string): number {
  let [before, last]: number[][] = [[], Array.from({ length: name.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= word.length; i++) {
    const row = [i];
    for (let j = 1; j <= name.length; j++) {
      const isSame = word[i - 1] === name[j - 1];
      const isSwapped = i > 1 && j > 1 && word[i - 1] === name[j - 2] && word[i - 2] === name[j - 1];
      row.push(
        Math.min(
          last![j]! + 1,
          row[j - 1]! + 1,
          last![j - 1]! + (isSame ? 0 : 1),
          isSwapped ? before![j - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, last] = [last!, row];
  }
  return last![name.length]!;
}
