/** What can be removed at once, without another turn of the event loop. */
interface Removable {
  removeNow(): void;
}

/** Outputs that this thread is writing, and where their work is done: the second to write one at the same time is refused. */
const active = new Map<string, Removable | undefined>();

/** What is to be removed when the process ends. */
const places = new Set<Removable>();

/** Notes that an output is being written; false where it is already. */
export function begin(target: string): boolean {
  if (active.has(target)) return false;
  active.set(target, undefined);
  return true;
}

/** Notes where that is done: to be removed should the process end before {@link end}. */
export function workIn(target: string, place: Removable): void {
  active.set(target, place);
  leave(place);
}

/** Notes that an output is in its place, or given up. */
export function end(target: string): void {
  const place = active.get(target);
  active.delete(target);
  if (place === undefined) return;
  places.delete(place);
  if (places.size === 0) process.off('exit', removeAll);
}

/** Notes what could not be removed: it is tried again when the process ends. */
export function leave(place: Removable): void {
  if (places.size === 0) process.on('exit', removeAll);
  places.add(place);
}

/** What resists is left to the next run. */
function removeAll(): void {
  for (const place of places) {
    try {
      place.removeNow();
    } catch {}
  }
}
