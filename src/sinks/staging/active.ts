import { rmSync } from 'node:fs';

/** Siblings that this thread is writing: their name tells runs apart, but not two outputs of one run. */
const active = new Set<string>();

/** Notes that a sibling is being written; false where it is already. */
export function begin(path: string): boolean {
  if (active.has(path)) return false;
  if (active.size === 0) process.on('exit', removeAll);
  active.add(path);
  return true;
}

/** Notes that a sibling is in its place or gone. */
export function end(path: string): void {
  active.delete(path);
  if (active.size === 0) process.off('exit', removeAll);
}

/** For a process that ends without another turn of the event loop. What resists is left to the next run. */
function removeAll(): void {
  for (const path of active) {
    try {
      rmSync(path, { recursive: true, force: true, maxRetries: 5 }); // threads may still write
    } catch {}
  }
}
