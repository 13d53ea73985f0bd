import { type Command, Option } from 'commander';
import { FORMATS, type Format } from '../sinks/format.js';
import { formatList } from './format-list.js';

/** Options of every command that writes what an image becomes, as commander gives them. */
export interface OutputFlags {
  readonly format?: Format;
  readonly force?: boolean;
  readonly strict?: boolean;
  readonly keepSetuid?: boolean;
  /** `--verify`: true, `--no-verify`: false. */
  readonly verify?: boolean;
  readonly sha256?: boolean;
}

/** Adds the options that say how an output is written. */
export function addOutputOptions(command: Command): Command {
  return command
    .option('--format <name>', `Write this format, whatever the name says: ${formatList(FORMATS)}`)
    .option('-f, --force', 'Replace an existing output once the new one is complete')
    .option('--strict', 'Fail if the output cannot hold something')
    .option('--keep-setuid', 'Keep setuid and setgid on files that cannot have their owner here')
    .option('--verify', 'Read the output back and compare it with the image before it appears')
    .addOption(new Option('--no-verify', 'Do not compare the digests of the image').helpGroup('Which image:'))
    .option('--sha256', 'Write the digest of the output to OUTPUT.sha256');
}
