/** What follows CMD and its like. */
export interface CommandLine {
  readonly words: readonly string[];
  /** One word, to be run by a shell. */
  readonly isShell: boolean;
}

/**
 * Reads a command: a JSON array of strings is run as it is, all else is a shell's, as in a Dockerfile: so is an array
 * that is no JSON, such as one in single quotes. Throws an Error for an array of something else than strings.
 */
export function parseCommand(text: string): CommandLine {
  const words = jsonArray(text);
  return words === undefined ? { words: [text], isShell: true } : { words, isShell: false };
}

/** The strings of a JSON array; undefined where the text is none. */
export function jsonArray(text: string): string[] | undefined {
  if (!text.startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new Error('a JSON array here holds strings only');
}
