import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { FlattenError } from '../errors.js';

/**
 * Lets the program outlive its terminal: what cannot be said on standard error is not said, and changes nothing about
 * the run. The first error of standard output goes to `failed`, since what was to go there is lost.
 */
export function guardStreams(failed: (error: NodeJS.ErrnoException) => void): void {
  process.stderr.on('error', () => {});
  process.stdout.once('error', failed);
  process.stdout.on('error', () => {}); // one comes for each write
  process.on('exit', () => [0, 1, 2].filter(mayBeTerminal).forEach(letGo));
}

/** A terminal that has hung up, perhaps before we began, does not say any more that it is one. */
function mayBeTerminal(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    return false;
  }
}

/** At its exit Node sets back what it may have set on a terminal, and crashes where that has hung up. We have set nothing. */
function letGo(fd: number): void {
  closeSync(fd);
  openSync('/dev/null', 'r+'); // takes the number, before anything else does
}

/** Resolves when all that was printed is with the system, or never will be. */
export async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength > 0) await new Promise((resolve) => stream.write('', resolve));
  await setImmediate(); // errors come a little later
}

/**
 * Throws `USAGE` where standard output is closed, so that `what`, the artifact, would be lost. Node opens /dev/null in place of a closed
 * descriptor, for reading too; a shell's `> /dev/null` is for writing only, and is fine. What other programs give to a child whose output
 * they do not want looks like the former: so for an answer, which may be unwanted, this is not asked.
 */
export function requireStandardOutput(what: string): void {
  if (isClosed()) {
    throw new FlattenError('USAGE', `standard output: is closed, and ${what} is to go there`, {
      hint: 'name a file with -o FILE, or send it where you want it: > FILE, | COMMAND, or > /dev/null',
    });
  }
}

function isClosed(): boolean {
  try {
    const device = fstatSync(1);
    if (!device.isCharacterDevice() || device.rdev !== statSync('/dev/null').rdev) return false;
    return readSync(1, Buffer.alloc(1)) === 0; // EBADF where it is open for writing only
  } catch {
    return false;
  }
}
