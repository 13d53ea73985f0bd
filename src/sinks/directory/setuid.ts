import type { Losses } from '../../losses.js';

const SETUID = 0o4000;
const SETGID = 0o2000;

/** Who owns a file. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Sees to it that no file runs as somebody whom the image does not mean: where the system did not give a file its owner, it
 * belongs to whoever runs this, and so would a program that it starts by setuid.
 */
export class Setuid {
  readonly #keep: boolean;
  readonly #losses: Losses;

  /** `keep`: the user wants it so. */
  constructor(keep: boolean, losses: Losses) {
    this.#keep = keep;
    this.#losses = losses;
  }

  /** The mode that a file may have, of the one that the image says; `found` asks who owns it now. The path (latin1, in the image) is for the loss. */
  modeOf(mode: number, wanted: Owner, found: () => Owner, path: () => string): number {
    if (this.#keep || (mode & (SETUID | SETGID)) === 0) return mode;
    const { uid, gid } = found();
    const wrong = (uid === wanted.uid ? 0 : SETUID) | (gid === wanted.gid ? 0 : SETGID);
    if ((mode & wrong) === 0) return mode;
    this.#losses.add(
      'setuid',
      path(),
      'it would run as another than its owner in the image ({keepSetuid} keeps it)',
    );
    return mode & ~wrong;
  }
}
