import type { TreeChange } from '../../inspect/diff/trees.js';

/** A change, and what is below it that only one of the trees has. */
export interface Folded {
  readonly change: TreeChange;
  /** Names below it, and the sizes of the files among them. */
  names: number;
  bytes: number;
}

/** Changes without those below a name that only one of the trees has, which are counted at that name. */
export function folded(changes: readonly TreeChange[]): Folded[] {
  const lines: Folded[] = [];
  let top: Folded | undefined;
  for (const change of changes) {
    const entry = (change.after ?? change.before)!;
    if (top !== undefined && change.isBelow && entry.path.startsWith(`${pathOf(top.change)}/`)) {
      top.names++;
      if (!change.isFurtherName) top.bytes += entry.size;
    } else {
      const line = { change, names: 0, bytes: 0 };
      if (!change.isBelow && change.change !== 'renamed') top = line;
      lines.push(line);
    }
  }
  return lines;
}

/** Every change by itself. */
export function unfolded(changes: readonly TreeChange[]): Folded[] {
  return changes.map((change) => ({ change, names: 0, bytes: 0 }));
}

function pathOf({ before, after }: TreeChange): string {
  return (after ?? before)!.path;
}
