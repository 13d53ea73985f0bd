import type { Spelling, Words } from './words.js';

/** A script that completes command lines in zsh. Source: zshcompsys(1), \`_arguments\`. */
export function zshScript({ main, commands, transports, inputs }: Spelling): string {
  const described = commands.map(({ name, summary }) => `    ${quoted(`${escaped(name)}:${summary}`)}`);
  return `#compdef flatten
# Completes flatten in zsh: source <(flatten completion zsh), after compinit.
_flatten_output() {
  compadd -S '' -- ${transports.join(' ')}
  compset -P '*:' # behind a transport stands a file
  _files
}
_flatten_first() {
  local -a commands=(
${described.join('\n')}
  )
  _describe -t commands command commands
  compadd -S '' -- ${inputs.join(' ')}
  compset -P '*:' # behind a transport stands a file
  _files
}
_flatten() {
  local line state
  local -i at=1
  case $words[2] in
${commands.map(subcommand).join('\n')}
  esac
  _arguments -s -S \\
${specs(main)}
    '1:image:_flatten_first' '*:file:_files'
}
compdef _flatten flatten
`;
}

function subcommand(command: Words): string {
  return `    ${command.name})
      shift words; (( CURRENT-- ))
      _arguments -s -S \\
${specs(command)}
        '*:file:_files'
      return ;;`;
}

function specs({ options }: Words): string {
  const all = [...options, { short: '-h', long: '--help', description: 'print help', value: undefined }];
  return all
    .map(({ short, long, description, value }) => {
      const text = `[${escaped(description)}]${valueFor(value)}`;
      return short
        ? `      '(${short} ${long})'{${short},${long}}${quoted(text)} \\`
        : `      ${quoted(`*${long}${text}`)} \\`;
    })
    .join('\n');
}

function valueFor(value: Words['options'][number]['value']): string {
  if (value === undefined) return '';
  if (value === 'output') return ':output:_flatten_output';
  if (value === 'directory') return ':directory:_files -/';
  return value === 'text' ? ':value: ' : `:value:(${value.join(' ')})`;
}

function escaped(text: string): string {
  return text.replace(/[[\]:\\]/g, '\\$&');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
