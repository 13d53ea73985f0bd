import { OPTION, type OptionName } from '../errors.js';
import { meant } from './meant.js';

/** Options whose word on the command line is not their name in the library with hyphens. */
const WORDS: Readonly<Partial<Record<OptionName, string>>> = {
  output: '-o',
  changes: '--change',
  reference: '--image',
};

/** A message of the library, which writes options as `{maxSize: 64G}`, in the words of the command line: `--max-size 64G`. */
export function inWords(message: string): string {
  return message.replace(OPTION, (_, name: OptionName, value?: string) => {
    if (name === 'input' && value !== undefined) return withInput(value);
    if (name === 'digests' && value === 'false') return '--no-verify';
    if (name === 'verity' && value === 'false') return '--no-verity';
    const word = WORDS[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    // The word behind --verity alone is an operand.
    return value === undefined ? word : `${word}${name === 'verity' ? '=' : ' '}${value}`;
  });
}

/** The command line that was typed, with the transport that its image lacks; the image alone where it stands in no word of its own. */
function withInput(input: string): string {
  const words = process.argv.slice(2);
  const bare = input.replace(/^(docker:\/\/|docker-daemon:)/, '');
  const at = words.findIndex(
    (word, place) => word === bare && !/^(-o|--output)$/.test(words[place - 1] ?? ''),
  );
  return at === -1 ? input : meant(...words.with(at, input));
}
