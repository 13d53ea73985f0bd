import { once } from 'node:events';

/** Characters that are printed at a time. */
const CHUNK = 1 << 16;

/** Prints lines to standard output, as fast as it takes them. A reader that has seen enough ends the run. */
export async function printLines(lines: Iterable<string>, signal: AbortSignal): Promise<void> {
  let text = '';
  for (const line of lines) {
    text += `${line}\n`;
    if (text.length < CHUNK) continue;
    await print(text, signal);
    text = '';
  }
  if (text !== '') await print(text, signal);
}

/** Prints a piece, and waits until standard output takes more. */
export async function print(piece: string | Uint8Array, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (!process.stdout.write(piece)) await once(process.stdout, 'drain', { signal });
}
