/** How deep Go's encoding/json reads, and with it every engine. */
export const MAX_DEPTH = 10_000;

/**
 * JSON as the text it was read from, known to be valid. What is copied as text stays as it was: every digit of a number, the
 * order of keys, keys that come twice; and it may be nested as deep as it likes.
 */
export class JsonText {
  readonly text: string;

  constructor(text: string) {
    this.text = text.trim();
  }

  /** Writes a value. Texts in it are copied, and maps are objects with their keys in order. It must not be deep itself. */
  static of(value: unknown): JsonText {
    return value instanceof JsonText ? value : new JsonText(write(value));
  }

  /** As JSON.parse reads it. */
  get value(): unknown {
    return JSON.parse(this.text);
  }

  get isObject(): boolean {
    return this.text.startsWith('{');
  }

  /** The members of an object, in their order; none of anything else. */
  members(): [key: string, value: JsonText][] {
    if (!this.isObject) return [];
    return pieces(this.text).map((piece) => {
      const end = stringEnd(piece, piece.indexOf('"'));
      const colon = piece.indexOf(':', end);
      return [JSON.parse(piece.slice(0, end)), new JsonText(piece.slice(colon + 1))];
    });
  }

  /** The items of an array; none of anything else. */
  items(): JsonText[] {
    return this.text.startsWith('[') ? pieces(this.text).map((piece) => new JsonText(piece)) : [];
  }
}

/** How deep objects and arrays lie in each other, of text that need not be valid. */
export function depthOf(text: string): number {
  let depth = 0;
  let most = 0;
  eachMark(text, (mark) => {
    if (mark !== ',') depth += mark === '[' || mark === '{' ? 1 : -1;
    if (depth > most) most = depth;
  });
  return most;
}

/** What stands between the outer brackets and the commas. */
function pieces(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  eachMark(text, (mark, at) => {
    if (mark === '[' || mark === '{') depth++;
    else if (mark !== ',') depth--;
    if (depth > 1 || (depth === 1 && mark !== ',')) return;
    found.push(text.slice(start, at));
    start = at + 1;
  });
  return found.length === 1 && found[0]!.trim() === '' ? [] : found;
}

/** Calls `act` for each bracket and comma that is not in a string. */
function eachMark(text: string, act: (mark: string, at: number) => void): void {
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') at = stringEnd(text, at) - 1;
    else if (char === ',' || char === '{' || char === '}' || char === '[' || char === ']') act(char, at);
  }
}

/** Where the text goes on after the string that begins at `start`. */
function stringEnd(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function write(value: unknown): string {
  if (value instanceof JsonText) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const members = value instanceof Map ? [...value] : Object.entries(value);
  const given = members.filter(([, member]) => member !== undefined);
  return `{${given.map(([key, member]) => `${JSON.stringify(key)}:${write(member)}`).join()}}`;
}
