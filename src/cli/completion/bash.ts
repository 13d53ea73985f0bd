import type { Spelling, Words } from './words.js';

/** A script that completes command lines in bash. Source: bash(1), Programmable Completion. */
export function bashScript({ main, commands, transports, inputs }: Spelling): string {
  const all = [main, ...commands];
  const names = commands.map(({ name }) => name);
  return `# Completes flatten in bash: source <(flatten completion bash)
_flatten() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} command=flatten word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case $word in
      ${names.join('|')}) command=$word; break ;;
      [!-]*) break ;;
    esac
  done
  # Behind the colon of a transport stands a file.
  if [[ $cur == : || $prev == : ]]; then COMPREPLY=($(compgen -f -- "\${cur#:}")); compopt -o filenames; return; fi
  case $prev in
${values(all, transports)}
  esac
  case $command in
${all.map(cases).join('\n')}
  esac
  if ((COMP_CWORD == 1)); then
    COMPREPLY+=($(compgen -W '${[...names, ...inputs].join(' ')}' -- "$cur"))
    if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *: ]]; then compopt -o nospace; fi
  fi
  [[ $cur == -* ]] || { COMPREPLY+=($(compgen -f -- "$cur")); compopt -o filenames; }
}
complete -F _flatten flatten
`;
}

/** What stands behind an option that takes something; the first command that has it says what. */
function values(all: readonly Words[], transports: readonly string[]): string {
  const seen = new Set<string>();
  const lines: string[] = [];
  for (const { short, long, value } of all.flatMap(({ options }) => options)) {
    if (value === undefined || seen.has(long)) continue;
    seen.add(long);
    const words = [short, long].filter((word) => word !== undefined).join('|');
    lines.push(`    ${words}) ${reply(value, transports)}; return ;;`);
  }
  return lines.join('\n');
}

function reply(value: NonNullable<Words['options'][number]['value']>, transports: readonly string[]): string {
  const oneOf = (words: readonly string[]) => `COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur"))`;
  switch (value) {
    case 'output':
      return `${oneOf(transports)}; COMPREPLY+=($(compgen -f -- "$cur")); compopt -o nospace -o filenames`;
    case 'directory':
      return 'COMPREPLY=($(compgen -d -- "$cur")); compopt -o filenames';
    case 'text':
      return ':';
    default:
      return oneOf(value);
  }
}

function cases({ name, options }: Words): string {
  const words = [...options.flatMap(({ short, long }) => [short ?? [], long].flat()), '-h', '--help'];
  return `    ${name}) [[ $cur == -* ]] && COMPREPLY=($(compgen -W '${words.join(' ')}' -- "$cur")) ;;`;
}
