import { FlattenError, printable } from '../errors.js';

/**
 * A word for a shell, in quotes within which nothing means anything but the quote itself. Throws `UNSUPPORTED` for a NUL, which
 * no shell and no program can be given.
 */
export function quoted(text: string): string {
  if (text.includes('\0')) {
    const shown = printable(Buffer.from(text).toString('latin1'));
    throw new FlattenError('UNSUPPORTED', `the config says ${shown}: no program can be given a NUL`);
  }
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
