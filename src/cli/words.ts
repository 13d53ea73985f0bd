import { OPTION, type OptionName } from '../errors.js';

/** Options whose word on the command line is not their name in the library with hyphens. */
const WORDS: Readonly<Partial<Record<OptionName, string>>> = {
  output: '-o',
  changes: '--change',
  reference: '--image',
};

/** A message of the library, which writes options as `{maxSize: 64G}`, in the words of the command line: `--max-size 64G`. */
export function inWords(message: string): string {
  return message.replace(OPTION, (_, name: OptionName, value?: string) => {
    if (name === 'digests' && value === 'false') return '--no-verify';
    const word = WORDS[name] ?? `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === undefined ? word : `${word} ${value}`;
  });
}
