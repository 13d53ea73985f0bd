import { FlattenError } from '../../errors.js';
import { damaged } from './superblock.js';

/** Runs of all files together: many more than any honest image has. */
const MAX_RUNS = 4_000_000;

/**
 * What reading may cost. In a sound image directories, targets, tables and xattrs lie apart from each other, and so are together no larger than it is:
 * an image whose inodes lie on one another ends here.
 */
export class ReadBudget {
  #bytesLeft: number;
  #runsLeft = MAX_RUNS;

  constructor(size: number) {
    this.#bytesLeft = size;
  }

  takeBytes(count: number): void {
    this.#bytesLeft -= count;
    if (this.#bytesLeft < 0) throw damaged('its inodes claim more bytes than there are');
  }

  takeRun(): void {
    if (--this.#runsLeft < 0)
      throw new FlattenError('LIMIT', `files of more than ${MAX_RUNS} pieces together`);
  }
}
