import { chmodSync, lstatSync } from 'node:fs';
import type { Losses } from '../../losses.js';
import type { Metadata } from '../../rootfs/node.js';
import type { Owners } from './owners.js';
import { permitted } from './permitted.js';
import type { Setuid } from './setuid.js';
import { type Clock, splitTime } from './times.js';

/** Gives owner, mode and times to what is not written through an open file. Image paths, for losses, are latin1. */
export class Attributes {
  readonly #owners: Owners;
  readonly #clock: Clock;
  readonly #losses: Losses;
  readonly #setuid: Setuid;

  constructor(owners: Owners, setuid: Setuid, clock: Clock, losses: Losses) {
    this.#setuid = setuid;
    this.#owners = owners;
    this.#clock = clock;
    this.#losses = losses;
  }

  owner(host: Buffer, { uid, gid }: Metadata, path: () => string): void {
    this.#owners.set(host, uid, gid, path);
  }

  /** After the owner, since chown clears setuid. Not for symlinks, which have no mode: it would be their target's. */
  mode(host: Buffer, { mode }: Metadata, path: () => string): void {
    permitted(this.#losses, 'mode', path, () => chmodSync(host, mode));
  }

  /** The same, of a regular file. */
  fileMode(host: Buffer, meta: Metadata, path: () => string): void {
    const mode = this.#setuid.modeOf(meta.mode, meta, () => lstatSync(host), path);
    this.mode(host, { ...meta, mode }, path);
  }

  /** Last of all. */
  times(host: Buffer, { mtime }: Metadata, path: () => string): void {
    permitted(this.#losses, 'mtime', path, () => this.#clock.set(host, splitTime(mtime)));
  }
}
