import type { Losses } from '../../losses.js';
import { Paths } from './paths.js';
import type { Plan } from './plan.js';
import type { Host } from './probe.js';
import { splitTime, type Time } from './times.js';

/** The earliest and the latest mtime of a tree. */
export function span({ directories, files, symlinks, specials }: Plan): readonly [Time, Time] {
  let earliest = directories[0]!.meta.mtime;
  let latest = earliest;
  const widen = (mtime: bigint): void => {
    if (mtime < earliest) earliest = mtime;
    else if (mtime > latest) latest = mtime;
  };
  for (const { meta } of directories) widen(meta.mtime);
  for (const list of [files, symlinks, specials]) for (const { node } of list) widen(node.meta.mtime);
  return [splitTime(earliest), splitTime(latest)];
}

/** Counts the mtimes that the output cannot hold; the nearest that it can is set all the same. */
export function countTimeLosses(plan: Plan, root: string, { timeProblem }: Host, losses: Losses): void {
  if (timeProblem === undefined) return;
  const paths = new Paths(root, plan.table);
  const check = (mtime: bigint, go: () => void): void => {
    const problem = timeProblem(splitTime(mtime));
    if (problem === undefined) return;
    go();
    losses.add('mtime', paths.inImage(), problem);
  };
  for (const [number, { meta }] of plan.directories.entries()) {
    check(meta.mtime, () => paths.ofDirectory(number));
  }
  for (const list of [plan.files, plan.symlinks, plan.specials]) {
    for (const { directory, name, node } of list) check(node.meta.mtime, () => paths.of(directory, name));
  }
}
