/** A character that ends an unquoted word. */
const SPACE = /\s/;

/**
 * Splits the rest of an ENV or LABEL line into words at white space, quotes and escapes left in place: `a="x y" b\ c=d`
 * is two words. An unclosed quote reaches to the end.
 * Source: BuildKit, frontend/dockerfile/parser, parseWords.
 */
function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (quote === undefined && SPACE.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= '';
    if (char === '\\' && quote !== "'") {
      if (++at < text.length) word += char + text[at];
      continue;
    }
    word += char;
    if (quote === undefined && (char === '"' || char === "'")) quote = char;
    else if (char === quote) quote = undefined;
  }
  if (word !== undefined && word !== '') words.push(word);
  return words;
}

/** `NAME=VALUE …`, or the old `NAME the rest of the line`, as pairs; quotes and escapes are still in place. Undefined where it is neither. */
export function splitPairs(text: string): [name: string, value: string][] | undefined {
  const words = splitWords(text);
  if (!words[0]?.includes('=')) {
    const old = /^(\S+)\s+(.+)$/s.exec(text);
    return old === null ? undefined : [[old[1]!, old[2]!]];
  }
  const pairs: [string, string][] = [];
  for (const word of words) {
    const equals = word.indexOf('=');
    if (equals < 0) return undefined;
    pairs.push([word.slice(0, equals), word.slice(equals + 1)]);
  }
  return pairs;
}
