/** What can be removed at once, without another turn of the event loop. */
interface Removable {
  removeNow(): void;
}

/** Outputs that this thread is writing, and where their work is done: the second to write one at the same time is refused. */
const active = new Map<string, Removable | undefined>();

/** Notes that an output is being written; false where it is already. */
export function begin(target: string): boolean {
  if (active.has(target)) return false;
  if (active.size === 0) process.on('exit', removeAll);
  active.set(target, undefined);
  return true;
}

/** Notes where that is done: to be removed should the process end before {@link end}. */
export function workIn(target: string, place: Removable): void {
  active.set(target, place);
}

/** Notes that an output is in its place, or given up. */
export function end(target: string): void {
  active.delete(target);
  if (active.size === 0) process.off('exit', removeAll);
}

/** What resists is left to the next run. */
function removeAll(): void {
  for (const place of active.values()) {
    try {
      place?.removeNow();
    } catch {}
  }
}
