import type { Command, CommanderError, Option } from 'commander';
import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';
import { meant } from './meant.js';

/** What stands in a hint for a word that is missing. */
const EXAMPLES: Readonly<Record<string, string>> = {
  image: 'image.tar',
  disk: 'disk.img',
  rootfs: 'rootfs.tar',
  output: 'rootfs/',
  dir: 'DIR',
  list: 'images.txt',
  before: 'old.tar',
  after: 'new.tar',
};
/** Outputs of the commands that must have one, for a hint. */
const OUTPUTS: Readonly<Record<string, string>> = {
  import: 'docker-archive:image.tar:NAME:TAG',
  batch: 'disks/{repository}/{tag}.ext4',
};

/** Makes a command throw `USAGE` with a hint where it does not understand a command line. Anything else that it exits for is thrown as it is. */
export function explainUsage(command: Command): void {
  command
    .allowExcessArguments(command.parent === null) // the main command says what was meant
    .configureOutput({ outputError: () => {} }) // what is thrown is printed, once
    .exitOverride((error) => {
      throw error.exitCode === 0 ? error : usageError(error, command);
    });
}

/** Commander tells apart by its codes what has happened, and has the details in its text alone. */
function usageError({ code, message }: CommanderError, command: Command): FlattenError {
  const text = message.replace(/^error: /, '');
  const [first = '', second = ''] = [...text.matchAll(/'([^']*)'/g)].map((match) => match[1]);
  switch (code) {
    case 'commander.unknownOption':
      return unknownOption(first.replace(/=.*/s, ''), command);
    case 'commander.optionMissingArgument':
      return usage(`${nameOf(first)}: needs a value`, `${first}: ${describe(first, command)}`);
    case 'commander.missingMandatoryOptionValue':
      return noOutput(command);
    case 'commander.missingArgument':
      return usage(`${first.toUpperCase()} is missing`, filled(command));
    case 'commander.excessArguments': {
      const { length } = command.registeredArguments;
      return usage(`${command.args.slice(length).join(' ')}: is not expected here`, filled(command));
    }
    case 'commander.invalidArgument': {
      const wrong = text.startsWith('option') ? `${nameOf(first)} ${second}` : first;
      return usage(`${wrong}: is not valid`, text.replace(/^.*? is invalid(?: for argument '\w+')?\. /s, ''));
    }
    default:
      return usage(text, `${line(command)} --help`);
  }
}

function unknownOption(word: string, command: Command): FlattenError {
  const names = command.options.map((option) => option.long!);
  const [long] = nearest(word, names, 1);
  const hint = long === undefined ? `all options: ${line(command)} --help-all` : `did you mean ${long}?`;
  return usage(`${word}: no such option`, hint);
}

/** `flatten import` or `flatten batch` without `-o`: a second word may be the output. */
function noOutput(command: Command): FlattenError {
  const option = command.args.find((word) => /^-./.test(word));
  if (option !== undefined) return unknownOption(option, command); // commander looks for the output first
  const name = command.name();
  const [operand] = command.registeredArguments;
  const [input = EXAMPLES[operand!.name()]!, output = OUTPUTS[name]!] = command.args;
  return usage('the output is missing', meant(name, input, '-o', output));
}

/** The command with the words that it was given, and with examples for those that it was not. */
function filled(command: Command): string {
  const words = command.registeredArguments.map(
    (argument, index) =>
      command.args[index] ?? EXAMPLES[argument.name()] ?? argument.argChoices?.[0] ?? argument.name(),
  );
  const { output } = command.opts();
  return meant(command.name(), ...words, ...(output === undefined ? [] : ['-o', output]));
}

function line(command: Command): string {
  return command.parent === null ? 'flatten' : `flatten ${command.name()}`;
}

/** `--size`, of `--size <bytes>` or `-s, --size <bytes>`. */
function nameOf(flags: string): string {
  return /--[\w-]+/.exec(flags)?.[0] ?? flags;
}

function describe(flags: string, command: Command): string {
  const option = command.options.find((each: Option) => each.flags === flags);
  return option?.description ?? '';
}

function usage(what: string, hint: string): FlattenError {
  return new FlattenError('USAGE', what, { hint });
}
