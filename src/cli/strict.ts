import type { Command, Option } from 'commander';
import { FlattenError } from '../errors.js';

/** Options that every command has, and that may stand before the command's name too. */
const EVERYWHERE: ReadonlySet<string> = new Set(['json', 'quiet', 'verbose']);

/** Sees to it that no option is given for nothing: `program` and its commands throw `USAGE` for such as would be ignored. */
export function refuseIdleOptions(program: Command): void {
  for (const command of [program, ...program.commands]) {
    const given = new Map<string, string>();
    for (const option of command.options) refuseContradiction(command, option, given);
  }
  program.hook('preSubcommand', handDown);
}

/** Options before a command's name are the program's: those that the command has no less are handed down, all others refused. */
function handDown(program: Command, command: Command): void {
  for (const option of program.options) {
    const key = option.attributeName();
    if (program.getOptionValueSource(key) !== 'cli') continue;
    if (EVERYWHERE.has(key)) {
      command.setOptionValueWithSource(key, program.getOptionValue(key), 'cli');
      continue;
    }
    throw new FlattenError(
      'USAGE',
      `${option.long}: stands before ${command.name()}, which does not see it`,
      {
        hint: `options of ${command.name()} go behind its name: flatten ${command.name()} --help`,
      },
    );
  }
}

/** An option that is given twice must say the same, unless it collects; so must `--verify` and `--no-verify`. */
function refuseContradiction(command: Command, option: Option, given: Map<string, string>): void {
  const key = option.attributeName();
  command.on(`option:${option.name()}`, (value?: string | null) => {
    const word = value == null ? `${option.long}` : `${option.long} ${value}`;
    const before = given.get(key) ?? word;
    given.set(key, word);
    if (before === word || Array.isArray(command.getOptionValue(key))) return;
    throw new FlattenError('USAGE', `${before} and ${word}: contradict each other`, {
      hint: 'give one of the two',
    });
  });
}
