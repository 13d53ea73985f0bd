/** A command line to type. */
export function meant(...words: readonly string[]): string {
  return ['flatten', ...words.map(quoted)].join(' ');
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
