import { printable } from '../errors.js';

/** A byte that is no part of UTF-8, as it is written in text; a name that has such letters of its own has its backslash so. */
const ESCAPE = /\\x([0-9a-f]{2})/g;

/**
 * A path (latin1, one character a byte) as text: UTF-8 where the bytes are, `\xNN` for each byte that is none. {@link bytesOf}
 * gives the same bytes back: a backslash before `xNN` in a name is itself written `\x5c`.
 */
export function textOf(path: string): string {
  if (/^[^\x80-\xff\\]*$/.test(path)) return path;
  const escaped = path.replace(ESCAPE, (_, digits: string) => `\\x5cx${digits}`);
  const text = Buffer.from(escaped, 'latin1').toString('utf8');
  if (!text.includes('\ufffd')) return text;
  return escaped.replace(NOT_ASCII, (run) => decoded(Buffer.from(run, 'latin1')));
}

/** The path (latin1) that {@link textOf} wrote, or that somebody typed. */
export function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8')
    .toString('latin1')
    .replace(ESCAPE, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The same for a person to read: what would steer a terminal is written `\xNN`, too. {@link bytesOf} takes it all the same. */
export function visibleText(path: string): string {
  return printable(Buffer.from(textOf(path), 'utf8').toString('latin1'));
}

const NOT_ASCII = /[\x80-\xff]+/g;

/** Characters where there are some, and escapes between them. */
function decoded(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const length = [1, 2, 3, 4].find((count) => isCharacter(bytes.subarray(at, at + count)));
    text +=
      length === undefined
        ? `\\x${bytes[at]!.toString(16).padStart(2, '0')}`
        : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return text;
}

const STRICT = new TextDecoder('utf-8', { fatal: true });

function isCharacter(bytes: Uint8Array): boolean {
  try {
    return STRICT.decode(bytes).length > 0;
  } catch {
    return false;
  }
}
