import type { Command, Option } from 'commander';
import { Argument } from 'commander';
import { FORMATS } from '../sinks/format.js';
import { IMAGE_TRANSPORTS } from '../sinks/image/location.js';
import { INPUT_TRANSPORTS } from '../sources/transport.js';
import { bashScript } from './completion/bash.js';
import { fishScript } from './completion/fish.js';
import type { Spelling, Words } from './completion/words.js';
import { zshScript } from './completion/zsh.js';
import { IGNORABLE } from './diff.js';

const SCRIPTS = { bash: bashScript, fish: fishScript, zsh: zshScript } as const;

/** `flatten completion SHELL`: prints a script that completes command lines, made from the commands as they are. */
export function addCompletion(program: Command): void {
  program
    .command('completion')
    .summary('Print a script for shell completion')
    .description(
      `Prints a script for your shell, which completes commands, options, formats, transports and files:
  bash   source <(flatten completion bash)
  zsh    source <(flatten completion zsh)       after compinit
  fish   flatten completion fish | source`,
    )
    .addArgument(new Argument('<shell>', 'The shell').choices(Object.keys(SCRIPTS)))
    .action((shell: keyof typeof SCRIPTS) => {
      process.stdout.write(SCRIPTS[shell](spelled(program)));
    });
}

function spelled(program: Command): Spelling {
  const { commands } = program;
  return {
    main: wordsOf(program),
    commands: commands.map((command) => wordsOf(command)),
    inputs: INPUT_TRANSPORTS,
    transports: IMAGE_TRANSPORTS,
  };
}

function wordsOf(command: Command): Words {
  return {
    name: command.name(),
    summary: command.summary() || command.description(),
    options: command.options
      .filter(({ hidden }) => !hidden)
      .map((option) => ({
        ...(option.short && { short: option.short }),
        long: option.long!,
        description: option.description,
        value: valueFor(option),
      })),
  };
}

/** What may stand behind an option. */
function valueFor(option: Option): Words['options'][number]['value'] {
  if (!option.required && !option.optional) return undefined;
  switch (option.attributeName()) {
    case 'format':
      return [...FORMATS];
    case 'compression':
      return ['none', 'gzip', 'zstd', 'xz', 'lz4'];
    case 'platform':
      return [
        'linux/amd64',
        'linux/arm64',
        'linux/arm/v7',
        'linux/386',
        'linux/ppc64le',
        'linux/riscv64',
        'linux/s390x',
      ];
    case 'ignore':
      return [...IGNORABLE];
    case 'output':
    case 'configOut':
      return 'output';
    case 'add':
      return 'directory';
    default:
      return 'text';
  }
}
