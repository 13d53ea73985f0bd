/** The value of an environment variable; undefined where it is not set. */
export type Lookup = (name: string) => string | undefined;

/**
 * Takes away a word's quotes and escapes and puts in its variables: `$A`, `${A}`, `${A:-default}`, `${A:+instead}`,
 * `${A:?message}`, and these without the colon, which then asks only whether the variable is set. Throws an Error that
 * says what is wrong.
 * Source: BuildKit, frontend/dockerfile/shell, ProcessWord.
 */
export function expand(word: string, lookup: Lookup): string {
  return new Expansion(word, lookup).until(undefined);
}

class Expansion {
  readonly #text: string;
  readonly #lookup: Lookup;
  #at = 0;

  constructor(text: string, lookup: Lookup) {
    this.#text = text;
    this.#lookup = lookup;
  }

  /** Up to and over the character `stop`; to the end where it is undefined. */
  until(stop: string | undefined): string {
    let result = '';
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined && stop !== undefined) throw new Error(`the closing ${stop} is missing`);
      if (char === undefined || char === stop) return result;
      if (char === "'") result += this.#singleQuoted();
      else if (char === '"') result += this.#doubleQuoted();
      else if (char === '$') result += this.#variable();
      else if (char === '\\') result += this.#text[this.#at++] ?? '';
      else result += char;
    }
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw new Error("the closing ' is missing");
    const quoted = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return quoted;
  }

  #doubleQuoted(): string {
    let result = '';
    for (;;) {
      const char = this.#text[this.#at++];
      if (char === undefined) throw new Error('the closing " is missing');
      if (char === '"') return result;
      if (char === '$') result += this.#variable();
      else if (char === '\\') result += this.#escapedInQuotes();
      else result += char;
    }
  }

  /** In double quotes a backslash means itself, except before what it can escape there. */
  #escapedInQuotes(): string {
    const next = this.#text[this.#at++];
    if (next === undefined) throw new Error('the closing " is missing');
    return /["$\\]/.test(next) ? next : `\\${next}`;
  }

  #variable(): string {
    if (this.#text[this.#at] !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#lookup(name) ?? '');
    }
    this.#at++;
    const name = this.#name();
    if (name === '') throw new Error('${ without the name of a variable');
    const [, operator] = /^(}|:?[-+?])/.exec(this.#text.slice(this.#at, this.#at + 2)) ?? [];
    if (operator === undefined) throw new Error(`\${${name}: after the name stand }, :-, :+ or :?`);
    this.#at += operator.length;
    const value = this.#lookup(name);
    if (operator === '}') return value ?? '';
    const word = this.until('}');
    const isSet = operator.startsWith(':') ? value !== undefined && value !== '' : value !== undefined;
    if (operator.endsWith('+')) return isSet ? word : '';
    if (isSet) return value!;
    if (operator.endsWith('-')) return word;
    throw new Error(`${name}: ${word || 'is not set'}`);
  }

  #name(): string {
    const [name = ''] = /^([A-Za-z_]\w*|\d+|[@*#?$!-])/.exec(this.#text.slice(this.#at)) ?? [];
    this.#at += name.length;
    return name;
  }
}
