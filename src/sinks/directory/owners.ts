import { fchownSync, lchownSync } from 'node:fs';
import type { Losses } from '../../losses.js';
import type { Born } from './probe.js';

/** The one number that is no user or group: chown(2) takes it for "leave as it is". */
export const NO_ID = 2 ** 32 - 1;

/**
 * Gives files their owners where creation did not. An owner that the system refused once is not tried again; each file
 * that has it is counted as a loss.
 */
export class Owners {
  readonly #born: Born;
  readonly #losses: Losses;
  readonly #refused = new Map<string, string>();

  constructor(born: Born, losses: Losses) {
    this.#born = born;
    this.#losses = losses;
  }

  /** Of an open file; `path` (latin1, in the image) is for the loss. True if the owner was changed, which clears setuid. */
  setOpen(fd: number, uid: number, gid: number, path: () => string): boolean {
    if (uid === this.#born.uid && gid === this.#born.gid) return false;
    return this.#attempt(uid, gid, path, () => fchownSync(fd, uid, gid));
  }

  /** Of a path, which is not followed. */
  set(host: Buffer, uid: number, gid: number, path: () => string): boolean {
    if (uid === this.#born.uid && gid === this.#born.gid) return false;
    return this.#attempt(uid, gid, path, () => lchownSync(host, uid, gid));
  }

  #attempt(uid: number, gid: number, path: () => string, change: () => void): boolean {
    const owner = `${uid}:${gid}`;
    let reason = this.#refused.get(owner);
    if (reason === undefined) {
      try {
        if (uid >= NO_ID || gid >= NO_ID) throw Object.assign(new Error(), { code: 'EINVAL' });
        change();
        return true;
      } catch (error) {
        reason = refusal(error);
        if (reason === undefined) throw error;
        this.#refused.set(owner, `${owner} ${reason}`);
      }
    }
    this.#losses.add('owner', path(), this.#refused.get(owner)!);
    return false;
  }
}

/** Why an owner can never be given here; undefined for errors of another kind. */
function refusal(error: unknown): string | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EPERM':
      return process.geteuid?.() === 0 ? 'is not permitted (no CAP_CHOWN)' : 'needs root';
    case 'EINVAL':
    case 'EOVERFLOW':
      return 'is no user and group of this system';
    case 'ENOTSUP':
    case 'ENOSYS':
      return 'cannot be held by this file system';
    default:
      return undefined;
  }
}
