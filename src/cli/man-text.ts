/** Something that is named, and what is said of it, in roff. */
export function tagged([tag, text]: readonly [string, string]): string[] {
  return ['.TP', `.B ${tag}`, text];
}

/** Text as roff prints it: a hyphen that is to be typed, no backslash, no line that looks like a request. Source: groff_char(7). */
export function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '\\&...')
    .replace(/^([.'])/gm, '\\&$1');
}
