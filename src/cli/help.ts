import { type Command, Help, type Option } from 'commander';
import { FlattenError } from '../errors.js';
import { nearest } from '../nearest.js';
import { SIZES } from './numbers.js';

/** Options that few people need: `--help` leaves them out; `--help-all`, the man page and completion have them. */
const RARE: ReadonlySet<string> = new Set([
  '--allow-foreign-layers',
  '--author',
  '--authfile',
  '--block-size',
  '--free-inodes',
  '--from-layer',
  '--insecure',
  '--journal',
  '--keep-dirlinks',
  '--keep-going',
  '--keep-setuid',
  '--max-entries',
  '--max-size',
  '--no-progress',
  '--no-verify',
  '--reserved',
  '--source-date-epoch',
  '--uuid',
]);

/** Gives every command `--help` and `--help-all`, and the program `flatten help`. Call it when all other commands and options are there. */
export function addHelp(program: Command): void {
  addHelpCommand(program);
  let isAll = false;
  const isShown = ({ long }: Option) => isAll || !RARE.has(long ?? '');
  for (const command of [program, ...program.commands]) {
    command
      .optionsGroup('Messages:')
      .helpOption('-h, --help', 'Print the options that most people need')
      .option('--help-all', 'Print all options')
      .on('option:help-all', () => {
        isAll = true;
        command.help();
      })
      .configureHelp({
        visibleOptions(shown) {
          const options = Help.prototype.visibleOptions.call(this, shown);
          return options.filter(isShown);
        },
        subcommandTerm(listed) {
          return Help.prototype.subcommandTerm.call(this, listed).replace(' [options]', '');
        },
      })
      .addHelpText('after', () => {
        const isSize = command.options.some((option) => takesSize(option) && isShown(option));
        return isSize ? `\n${SIZES}` : '';
      });
  }
}

function takesSize({ flags }: Option): boolean {
  return flags.includes('<bytes');
}

function addHelpCommand(program: Command): void {
  program
    .helpCommand(false)
    .command('help')
    .summary('Print the help of a command')
    .description('Prints the help of a command, or of the program.')
    .argument('[command]', 'The name of the command')
    .action((name?: string) => {
      const command = name === undefined ? program : program.commands.find((each) => each.name() === name);
      if (command === undefined) throw noCommand(name!, program);
      command.help();
    });
}

function noCommand(name: string, program: Command): FlattenError {
  const names = program.commands.map((command) => command.name());
  const meant = nearest(name, names, 1)[0];
  const hint = meant === undefined ? `the commands are ${names.join(', ')}` : `flatten help ${meant}`;
  return new FlattenError('USAGE', `${name}: no such command`, { hint });
}
