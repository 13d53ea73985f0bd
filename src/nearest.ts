/** Names and words longer than this are not compared: it takes time in proportion to both. */
const LONGEST = 300;

/** Of `names`, at most `count` that a word differs from by no more than one slip in three letters; the nearest first. */
export function nearest(word: string, names: readonly string[], count: number): readonly string[] {
  if (word.length > LONGEST) return [];
  return names
    .filter((name) => name.length <= LONGEST)
    .map((name) => ({ name, slips: slips(word, name) }))
    .filter(({ name, slips }) => slips <= name.length / 3)
    .sort((a, b) => a.slips - b.slips)
    .slice(0, count)
    .map(({ name }) => name);
}

/** How many letters must be put in, left out, changed, or swapped with the next. */
function slips(word: string, name: string): number {
  let [before, last]: number[][] = [[], Array.from({ length: name.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= word.length; i++) {
    const row = [i];
    for (let j = 1; j <= name.length; j++) {
      const isSame = word[i - 1] === name[j - 1];
      const isSwapped = i > 1 && j > 1 && word[i - 1] === name[j - 2] && word[i - 2] === name[j - 1];
      row.push(
        Math.min(
          last![j]! + 1,
          row[j - 1]! + 1,
          last![j - 1]! + (isSame ? 0 : 1),
          isSwapped ? before![j - 2]! + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    [before, last] = [last!, row];
  }
  return last![name.length]!;
}
