/** A word of a case line. */
export interface Word {
  /** Quotes removed, escapes resolved; latin1, one character a byte. */
  readonly text: string;
  /** It began with a quote: not a number, an option or an arrow, whatever it looks like. */
  readonly quoted: boolean;
}

const WORD = /\s*((?:"(?:[^"\\]|\\.)*"|[^\s"])+)/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/g;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|(.))/g;
const NAMED: Record<string, string> = { n: '\n', t: '\t', r: '\r', '0': '\0' };

/** Splits a line at white space. Text in double quotes stays whole and may hold `\n \t \0 \" \\` and `\xNN`; the rest is UTF-8. */
export function words(line: string): Word[] {
  const found: Word[] = [];
  const text = line.trimEnd();
  WORD.lastIndex = 0;
  while (WORD.lastIndex < text.length) {
    const at = WORD.lastIndex;
    const match = WORD.exec(text)?.[1];
    if (match === undefined) throw new Error(`no word at column ${at + 1}: ${line}`);
    found.push({ text: unquote(match), quoted: match.startsWith('"') });
  }
  return found;
}

/** A path or a target: an unquoted `200*ab/c` repeats `ab` two hundred times. */
export function longName({ text, quoted }: Word): string {
  if (quoted) return text;
  return text.replace(
    /(^|\/)(\d+)\*([^/]+)/g,
    (_, slash: string, times: string, part: string) => slash + part.repeat(Number(times)),
  );
}

function unquote(text: string): string {
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  return bytes.replace(QUOTED, (_, inner: string) =>
    inner.replace(ESCAPE, (_, hex?: string, char?: string) =>
      hex === undefined ? (NAMED[char!] ?? char!) : String.fromCharCode(Number.parseInt(hex, 16)),
    ),
  );
}
