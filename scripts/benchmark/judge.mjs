/**
 * One row of the table: what a contest came to. Times in seconds, memory and sizes in bytes, all medians; `ok` is
 * absent where nothing is promised, `cpu` is what both spent of user and system time, `spread` are the lowest and the highest ratio that any of
 * our runs has to theirs in the same round, and `note` says why a row has no figures.
 * @returns {{name: string, input: string, unit: string, ours?: number, against: string, theirs?: number, cpu?: [number, number], ratio?: number, spread?: [number, number], target: string, ok?: boolean, note?: string}}
 */
export function judge(contest, results) {
  const { name, input, words: against, kind } = contest;
  const row = {
    name,
    input,
    against,
    unit: kind === 'time' || kind === 'across' ? 's' : 'B',
    target: targetOf(contest),
  };
  const sides = sidesOf(contest);
  const absent = [...sides.ours, ...sides.less, ...sides.theirs]
    .map((key) => results.get(key))
    .find((result) => result.absent);
  if (absent) return { ...row, note: absent.absent };
  const figure = { time: 'wall', across: 'wall', size: 'size' }[kind] ?? 'peak';
  const sum = (keys, of) =>
    keys.reduce((total, key) => total + median(results.get(key).runs.map((run) => run[of])), 0);
  const ours = sum(sides.ours, figure) - sum(sides.less, figure);
  const theirs = contest.larger
    ? Math.max(...sides.theirs.map((key) => sum([key], figure)))
    : sum(sides.theirs, figure);
  if (Number.isNaN(ours + theirs))
    return { ...row, note: figure === 'peak' ? 'skipped: needs GNU time' : 'skipped: no such figure' };
  if (kind === 'peak') return { ...row, ours, ok: ours <= contest.most };
  if (kind === 'per-entry') return { ...row, ours: (ours - theirs) / contest.entries };
  const most = contest.most * theirs + (contest.plus ?? 0);
  const cpu =
    figure === 'wall'
      ? { cpu: [sum(sides.ours, 'cpu') - sum(sides.less, 'cpu'), sum(sides.theirs, 'cpu')] }
      : {};
  const together = contest.larger ? Math.max : (one, other) => one + other;
  const spread = spreadOf(sides, together, (key) => results.get(key).runs.map((run) => run[figure]));
  return {
    ...row,
    ours,
    theirs,
    ...cpu,
    ratio: ours / theirs,
    spread,
    ...(contest.most && { ok: ours <= most }),
  };
}

/** The lowest and the highest ratio of a round. */
function spreadOf({ ours, less, theirs }, together, figuresOf) {
  const sums = (keys) =>
    keys
      .map(figuresOf)
      .reduce((all, runs) => runs.map((figure, round) => together(figure, all[round] ?? 0)), []);
  const against = sums(theirs);
  const off = sums(less);
  const ratios = sums(ours).map((figure, round) => (figure - (off[round] ?? 0)) / against[round]);
  return [Math.min(...ratios), Math.max(...ratios)];
}

/** The keys of the results that a contest compares. */
export function sidesOf({ kind, input, base, ours, less, theirs }) {
  if (base) return { ours: [`${input}/${ours}`], less: [], theirs: [`${base}/${ours}`] };
  const sides = { ours: [`${input}/${ours}`], less: less === undefined ? [] : [`${input}/${less}`] };
  if (kind === 'peak') return { ...sides, theirs: [] };
  return { ...sides, theirs: theirs.map((name) => `${input}/${name}`) };
}

function targetOf({ kind, most, plus }) {
  if (most === undefined) return '';
  if (kind === 'peak') return `≤ ${most / 1e6} MB`;
  return plus ? `≤ ${most} + ${plus * 1000} ms` : `≤ ${most}`;
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
