import { randomBytes } from 'node:crypto';
import {
  closeSync,
  futimesSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { throwIfAborted } from '../errors.js';

/** How often a holder shows that it lives, and how often others look. */
const BEAT_MS = 1000;
const LOOK_MS = 100;
/** So long without a sign of life, and a lock is nobody's. */
const STALE_MS = 15_000;

/** A lock that this process holds. */
export interface Lock {
  release(): void;
}

/**
 * Takes a lock: a file that is made where there is none. Undefined where somebody has it.
 *
 * What it promises is that work is rarely done twice, not that it never is: a holder that was stopped for a while may go on after another
 * has taken over. It works wherever files do, over NFS and between containers that share a directory: the holder changes the file's time every
 * second, and one that has not changed for 15 seconds is nobody's. A holder that was killed is found out at once by those who see its process id.
 */
export function tryLock(path: string): Lock | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
    throw error;
  }
  writeSync(fd, `${owner()}\n`);
  const { ino } = lstatSync(path);
  const beat = setInterval(() => {
    try {
      futimesSync(fd, new Date(), new Date());
    } catch {} // others then take over, which does no harm
  }, BEAT_MS);
  beat.unref();
  return {
    release() {
      clearInterval(beat);
      closeSync(fd);
      if (inodeOf(path) === ino) rmSync(path, { force: true });
    },
  };
}

/** How {@link lockIsFree} takes a lock away from somebody who shows no sign of life, but may live. */
export interface TakingOver {
  /** Milliseconds without a sign. Default 15 seconds. */
  readonly staleMs?: number;
  /** Done before the lock is taken away. */
  readonly prepare?: () => Promise<void>;
}

/** Resolves when a lock that somebody holds is free, be it that its holder has let it go, is no more, or seems to be no more. */
export async function lockIsFree(
  path: string,
  signal: AbortSignal,
  { staleMs = STALE_MS, prepare }: TakingOver = {},
): Promise<void> {
  let [seen, since] = ['', 0];
  for (;;) {
    throwIfAborted(signal);
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return;
    const sign = `${stat.ino} ${stat.mtimeNs}`;
    if (sign !== seen) [seen, since] = [sign, performance.now()];
    const isDead = isOfTheDead(path);
    if (isDead || performance.now() - since >= staleMs) {
      if (!isDead) await prepare?.();
      takeAway(path, Number(stat.ino));
      return;
    }
    await setTimeout(LOOK_MS, undefined, { signal }).catch(() => throwIfAborted(signal));
  }
}

/** Whether the holder of a lock is known to be no more. Nothing is known of one on another machine or in another container. */
export function isOfTheDead(path: string): boolean {
  let text: string;
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch {
    return false;
  }
  const [kernel, pid, start] = text.split(' ');
  if (!/^\d+$/.test(pid ?? '') || kernel !== kernelAndPids()) return false;
  return startOf(pid!) !== start;
}

/** Removes a lock that was found to be nobody's; another one that has been taken meanwhile is put back. */
function takeAway(path: string, ino: number): void {
  const aside = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    renameSync(path, aside);
  } catch {
    return; // somebody else was first
  }
  if (inodeOf(aside) === ino) rmSync(aside, { force: true });
  else renameSync(aside, path);
}

function inodeOf(path: string): number | undefined {
  return lstatSync(path, { throwIfNoEntry: false })?.ino;
}

function owner(): string {
  return `${kernelAndPids()} ${process.pid} ${startOf('self') ?? ''}`;
}

/** The running kernel and the namespace of process ids: within both, a process id means one process. */
function kernelAndPids(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return `unknown-${randomBytes(6).toString('hex')}`;
  }
}

/** When a process was started, in ticks since boot; undefined where there is none, or only what is left of one. Source: proc(5), stat. */
function startOf(pid: string): string | undefined {
  try {
    const [state, ...rest] = readFileSync(`/proc/${pid}/stat`, 'latin1')
      .replace(/^.*\) /s, '')
      .split(' ');
    return state === 'Z' ? undefined : rest[18];
  } catch {
    return undefined;
  }
}
