import type { Losses } from '../../losses.js';

/** Makes a change to a file. What a missing capability refuses (`EPERM`) is counted as a loss of that kind at `path` (latin1, in the image). */
export function permitted(losses: Losses, kind: string, path: () => string, change: () => void): void {
  try {
    change();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    losses.add(kind, path(), 'setting it is not permitted');
  }
}
