import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

const LONGEST_NAME = 180; // of 255 bytes, with room for what is added

/** A private directory of a run, as its name tells. */
export interface Sibling {
  readonly name: string;
  /** The run that made it is still at work. */
  readonly isAlive: boolean;
}

/**
 * A name for a private directory of this run beside an output: `.NAME.flatten-PID-START-RANDOM`. START (field 22 of
 * proc_pid_stat(5), ticks since the machine started) tells a live run from a dead one whose PID another program has now;
 * nobody can have put something there before, since nobody can guess RANDOM.
 */
export function siblingName(output: string): string {
  return `${stem(output)}${process.pid}-${startOf(process.pid) ?? 0}-${randomBytes(8).toString('hex')}`;
}

/** Reads a name found beside an output; undefined where no run of flatten to that output made it. */
export function parseSibling(output: string, name: string): Sibling | undefined {
  const prefix = stem(output);
  if (!name.startsWith(prefix)) return undefined;
  const [, pid, start] = /^([1-9]\d*)-(\d+)-[0-9a-f]{16}$/.exec(name.slice(prefix.length)) ?? [];
  if (pid === undefined) return undefined;
  return { name, isAlive: isAlive(Number(pid), start!) };
}

function stem(output: string): string {
  const isLong = Buffer.byteLength(output) > LONGEST_NAME;
  return `.${isLong ? createHash('sha256').update(output).digest('hex') : output}.flatten-`;
}

function isAlive(pid: number, start: string): boolean {
  const actual = startOf(pid);
  if (actual !== undefined) return actual === start;
  if (startOf(process.pid) !== undefined) return false;
  try {
    return process.kill(pid, 0); // no /proc here: the PID alone must do
  } catch {
    return false;
  }
}

/** When a process started, or undefined where it does not run (a zombie runs no more) or the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' '); // from field 3, the state
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}
