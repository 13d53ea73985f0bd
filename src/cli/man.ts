import type { Argument, Command, Option } from 'commander';
import { guideSections } from './man-guide.js';
import { escaped, tagged } from './man-text.js';
import { SIZES } from './numbers.js';
import { EXAMPLES } from './program.js';

const DESCRIPTION = `flatten applies the layers of a container image in order, whiteouts included, and writes the merged tree as a directory, a flat tar, a sized
ext2, ext3, ext4 or EROFS disk image, or an image of one layer. It needs no daemon, and root only to give a directory its owners.`;

const ENVIRONMENT = [
  ['SOURCE_DATE_EPOCH', 'Seconds since 1970; as \\-\\-source\\-date\\-epoch.'],
  ['TMPDIR', 'Where temporary files go. By default they go beside the output.'],
  ['DOCKER_HOST', 'The engine for docker\\-daemon:.'],
  ['NO_COLOR', 'If it is set, errors have no colour.'],
] as const;

/** The man page of the program, as its commands and options are, and what the guide (src/cli/README.md) says of them. Source: man(7). */
export function manPage(program: Command, guide: string): string {
  const version = program.version();
  return [
    `.TH FLATTEN 1 "" "flatten ${version}" "User Commands"`,
    '.SH NAME',
    'flatten \\- turn container images into filesystems',
    '.SH SYNOPSIS',
    '.nf',
    'flatten IMAGE \\-o OUTPUT [OPTION]...',
    ...program.commands.map((command) =>
      escaped(`flatten ${command.name()} ${operands(command)} [OPTION]...`),
    ),
    '.fi',
    '.SH DESCRIPTION',
    escaped(DESCRIPTION),
    '.SH EXAMPLES',
    '.nf',
    ...EXAMPLES.trimEnd().split('\n').map(escaped),
    '.fi',
    ...grouped(program).flatMap(([heading, options]) => [
      `.SH ${heading.toUpperCase().replace(/:$/, '')}`,
      ...options.flatMap(optionLines),
    ]),
    '.SH COMMANDS',
    ...program.commands.flatMap(commandLines),
    '.SH SIZES',
    escaped(SIZES),
    ...guideSections(guide),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(tagged),
    '.SH SEE ALSO',
    '.BR umoci (1),',
    '.BR skopeo (1),',
    '.BR mke2fs (8)',
    '',
  ].join('\n');
}

/** A program's options by their headings, as its help shows them. */
function grouped(program: Command): [string, Option[]][] {
  const groups = new Map<string, Option[]>();
  for (const option of program.options) {
    const heading = option.helpGroupHeading ?? 'Options:';
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return [...groups];
}

function commandLines(command: Command): string[] {
  return [
    `.SS flatten ${escaped(command.name())} ${escaped(operands(command))}`,
    ...escaped(command.description()).split('\n'),
    ...command.registeredArguments.flatMap(argumentLines),
    ...command.options.flatMap(optionLines),
  ];
}

/** What must be given. */
function operands({ registeredArguments, options }: Command): string {
  const needed = options
    .filter(({ mandatory }) => mandatory)
    .map(({ short, long }) => `${short ?? long} OUTPUT`);
  return [...registeredArguments.map((argument) => argument.name().toUpperCase()), ...needed].join(' ');
}

function argumentLines(argument: Argument): string[] {
  return tagged([argument.name().toUpperCase(), escaped(argument.description)]);
}

function optionLines({ flags, description }: Option): string[] {
  return tagged([escaped(flags), escaped(description)]);
}
