import { isUtf8 } from 'node:buffer';
import { FlattenError } from '../errors.js';
import { countText, sizeText } from '../size-text.js';
import { checkItem, type Listed } from './item.js';

/** Bytes of a list, images in it, and characters of a line: a million images with digests take some 150 MB. */
export const LIST_LIMIT = 256 * 2 ** 20;
const COUNT_LIMIT = 1_000_000;
const LINE_LIMIT = 64 * 2 ** 10;

/**
 * Reads a list of images: a reference a line, or a JSON object a line with `image` and options. Empty lines do not count, nor does what
 * begins with `#` at the start of a line or behind a blank. `name` is the list's, for messages. Throws `USAGE` with the number of the line.
 */
export function parseList(bytes: Uint8Array, name: string): Listed[] {
  if (bytes.length > LIST_LIMIT) throw tooMuch(name, `more than ${sizeText(LIST_LIMIT)}`);
  if (!isUtf8(bytes))
    throw new FlattenError('USAGE', `${name}: is not a list of images: it is no UTF-8 text`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString()
    .replace(/^\ufeff/, '');
  const listed: Listed[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const place = `${name}:${index + 1}`;
    if (line.length > LINE_LIMIT) throw tooMuch(place, `more than ${countText(LINE_LIMIT)} characters`);
    const item = itemOf(line.trim(), place);
    if (item !== undefined) listed.push({ place, item });
    if (listed.length > COUNT_LIMIT) throw tooMuch(name, `more than ${countText(COUNT_LIMIT)} images`);
  }
  return listed;
}

function itemOf(line: string, place: string): Listed['item'] | undefined {
  if (line.startsWith('{')) return checkItem(parsed(line, place), place);
  const image = line.replace(/(^|\s+)#.*$/s, '');
  return image === '' ? undefined : checkItem({ image }, place);
}

function parsed(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (cause) {
    // What Node quotes of the line may have a secret in it.
    const what = (cause as Error).message.replace(/, (\.\.\.)?".*$/s, '');
    throw new FlattenError('USAGE', `${place}: is not JSON: ${what}`, { cause });
  }
}

function tooMuch(name: string, what: string): FlattenError {
  return new FlattenError('USAGE', `${name}: has ${what}`, { hint: 'split the list into several' });
}
