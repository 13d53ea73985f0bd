import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { command, commandNow, isThere } from './command.mjs';

const CAPACITY = 16 * 2 ** 30;

/** Where one contestant works: new and empty each time, so that none pays for what the one before left behind. */
export class Place {
  #image;
  #directory;
  #mounts = process.getuid() === 0 && isThere('mkfs.ext4');

  /** @param {string} parent a directory with room for the largest output */
  constructor(parent) {
    this.#image = join(parent, 'place.img');
    this.#directory = join(parent, 'place');
  }

  /** What the runs are written to, in a few words. */
  get title() {
    return this.#mounts ? 'a fresh ext4 for each run' : 'a directory (no root: no file system of its own)';
  }

  /** An empty directory; the one handed out before is gone. */
  async fresh() {
    this.discard();
    mkdirSync(this.#directory, { recursive: true });
    if (!this.#mounts) return this.#directory;
    writeFileSync(this.#image, '');
    truncateSync(this.#image, CAPACITY);
    // Everything is initialised now: nothing is left for the kernel to do behind the run's back.
    const eager = 'lazy_itable_init=0,lazy_journal_init=0';
    await command('mkfs.ext4', ['-q', '-F', '-N', '1000000', '-E', eager, this.#image]);
    await command('mount', ['-o', 'loop', this.#image, this.#directory]);
    return this.#directory;
  }

  /** Takes down what {@link fresh} made, at once. */
  discard() {
    if (this.#mounts) commandNow('umount', ['-R', this.#directory]);
    rmSync(this.#image, { force: true });
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
