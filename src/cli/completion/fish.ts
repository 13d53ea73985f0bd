import type { Spelling, Words } from './words.js';

/** A script that completes command lines in fish. Source: complete(1) of fish. */
export function fishScript({ main, commands, transports, inputs }: Spelling): string {
  const names = commands.map(({ name }) => name).join(' ');
  const isMain = `not __fish_seen_subcommand_from ${names}`;
  const lines = [
    '# Completes flatten in fish: flatten completion fish | source',
    'complete -c flatten -e',
    ...commands.map(
      ({ name, summary }) =>
        `complete -c flatten -n '__fish_use_subcommand' -a ${name} -d ${quoted(summary)}`,
    ),
    `complete -c flatten -n '__fish_use_subcommand' -a ${quoted(inputs.join(' '))}`,
    ...optionsOf(main, isMain, transports),
    ...commands.flatMap((command) =>
      optionsOf(command, `__fish_seen_subcommand_from ${command.name}`, transports),
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function optionsOf({ options }: Words, condition: string, transports: readonly string[]): string[] {
  const lines = options.map(({ short, long, description, value }) =>
    [
      `complete -c flatten -n ${quoted(condition)}`,
      ...(short ? [`-s ${short.slice(1)}`] : []),
      `-l ${long.slice(2)}`,
      ...valueFor(value, transports),
      `-d ${quoted(description)}`,
    ].join(' '),
  );
  return [...lines, `complete -c flatten -n ${quoted(condition)} -s h -l help -d 'print help'`];
}

function valueFor(value: Words['options'][number]['value'], transports: readonly string[]): string[] {
  if (value === undefined) return [];
  if (value === 'output') return ['-r', `-a ${quoted(transports.join(' '))}`];
  if (value === 'directory') return ['-x', "-a '(__fish_complete_directories)'"];
  return value === 'text' ? ['-x'] : ['-x', `-a ${quoted(value.join(' '))}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
