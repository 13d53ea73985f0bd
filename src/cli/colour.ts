const RED = '\x1b[31m';
const USUAL = '\x1b[39m';

/**
 * The word in red where standard error is a terminal that has colours, and NO_COLOR is not set (no-color.org). It is not
 * left to `styleText`, which asks standard output from Node 22.13 on.
 */
export function red(word: string): string {
  const isColoured = process.stderr.isTTY && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
  return isColoured ? RED + word + USUAL : word;
}
