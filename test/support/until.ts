import type { ChildProcess } from 'node:child_process';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

/** Resolves once it is so, however long that takes; throws if the program that is to bring it about has ended before. */
export async function until(isSo: () => boolean, child?: ChildProcess): Promise<void> {
  while (!isSo()) {
    if (child && (child.exitCode !== null || child.signalCode !== null))
      throw new Error(`the program ended before: ${child.exitCode ?? child.signalCode}`);
    await setTimeout(2);
  }
}

/** Whether a running program has a file open, by the path's end. */
export function hasOpen({ pid }: ChildProcess, end: string): boolean {
  const directory = `/proc/${pid}/fd`;
  return readdirSync(directory).some((fd) => {
    try {
      return readlinkSync(join(directory, fd)).endsWith(end);
    } catch {
      return false; // closed meanwhile
    }
  });
}
