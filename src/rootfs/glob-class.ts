/** Whether a character is meant, by its code point. */
export type Takes = (code: number) => boolean;

const SLASH = 0x2f;

/** POSIX's classes, of ASCII. */
const NAMED: Readonly<Record<string, RegExp>> = {
  alnum: /[0-9A-Za-z]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[!-~]/,
  lower: /[a-z]/,
  print: /[ -~]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t-\r]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
};

/** Where the class ends that begins at a `[`; undefined where that is just a bracket. A `]` that comes first is a member. */
export function classEnd(chars: readonly string[], start: number): number | undefined {
  const first = start + (isNegation(chars[start + 1]) ? 2 : 1);
  for (let at = first; at < chars.length; at++) {
    if (chars[at] === '\\') at++;
    else if (chars[at] === ']' && at > first) return at;
    else at += Math.max(named(chars, at).length - 1, 0);
  }
  return undefined;
}

/** What a class takes that has these characters between its brackets. It never takes a slash. */
export function classTakes(chars: readonly string[]): Takes {
  const isNot = isNegation(chars[0]);
  const members: Takes[] = [];
  let at = isNot ? 1 : 0;
  const next = () => {
    if (chars[at] === '\\' && at + 1 < chars.length) at++;
    return chars[at++]!.codePointAt(0)!;
  };
  while (at < chars.length) {
    const name = named(chars, at);
    if (name !== '') {
      const pattern = NAMED[name.slice(2, -2)]!;
      members.push((code) => pattern.test(String.fromCodePoint(code)));
      at += name.length;
      continue;
    }
    const low = next();
    const isRange = chars[at] === '-' && at + 1 < chars.length;
    if (isRange) at++;
    const high = isRange ? next() : low;
    members.push((code) => low <= code && code <= high);
  }
  return (code) => code !== SLASH && members.some((takes) => takes(code)) !== isNot;
}

function isNegation(char: string | undefined): boolean {
  return char === '!' || char === '^';
}

/** The `[:name:]` that begins at a place, or nothing. */
function named(chars: readonly string[], at: number): string {
  if (chars[at] !== '[' || chars[at + 1] !== ':') return '';
  const [whole = '', name = ''] = /^\[:([a-z]+):\]/.exec(chars.slice(at, at + 10).join('')) ?? [];
  return Object.hasOwn(NAMED, name) ? whole : '';
}
