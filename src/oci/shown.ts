import { printable } from '../errors.js';

/** Text out of image JSON, fit for a message: what would steer a terminal is escaped, what has no end is cut. */
export function shown(text: string): string {
  const cut = text.length > 300 ? `${text.slice(0, 300)}…` : text;
  return printable(Buffer.from(cut, 'utf8').toString('latin1'));
}

/** So many layers, for a message. */
export function shownLayers(count: number): string {
  return count === 1 ? '1 layer' : `${count} layers`;
}
