/**
 * The process in which the images of a list are made, one after the other. It belongs to its parent: what ends the parent ends the run
 * that is under way here, and nothing half-made stays.
 */
import type { RunEvent } from '../context.js';
import { FlattenError, isSystemError, systemError } from '../errors.js';
import { withImages } from '../input.js';
import type { Look } from '../sources/remote-look.js';
import { parseInput } from '../sources/transport.js';
import { failureOf } from '../threads/failure.js';
import type { Said, Task } from './messages.js';

/** Milliseconds between two events of one phase: nobody reads faster. */
const INTERVAL = 200;

/** Warnings of one image that are told: each is a message, and an image can bring very many. */
const MOST_WARNINGS = 100;

const controller = new AbortController();

// Ctrl-C comes to all processes of a terminal; the parent says what it means for this one. execa listens to SIGXFSZ while a program runs,
// and would leave it with its default, which is the end.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGXFSZ'] as const) process.on(signal, () => {});
process.on('SIGTERM', () => controller.abort('SIGTERM'));
process.on('disconnect', () => controller.abort('disconnect'));
process.on('message', (task: Task) => void perform(task));

async function perform({ kind, request }: Task): Promise<void> {
  const { signal } = controller;
  const asked = { ...request, signal, onEvent: told() };
  try {
    if (kind === 'look') say({ kind, look: await look(asked), memory: process.memoryUsage.rss() });
    else {
      const { flatten } = await import('../flatten.js');
      say({ kind, result: await flatten(asked), memory: process.memoryUsage.rss() });
    }
  } catch (error) {
    const known = isSystemError(error) ? systemError(error) : error;
    if (!(known instanceof FlattenError)) throw error; // a bug: it ends this process, and the parent tells of it
    say({ kind: 'failed', failure: failureOf(known) });
  }
}

function look(asked: Task['request'] & { readonly signal: AbortSignal }): Promise<Look> {
  return withImages({ ...asked, input: parseInput(asked.input) }, undefined, async (images) => {
    const [{ digest, platform }] = images as [(typeof images)[number]];
    const layers = images.flatMap((image) => image.layers.map(({ size }) => ({ size })));
    const isOne = images.length === 1;
    return { ...(isOne && digest && { digest }), ...(isOne && platform && { platform }), layers };
  });
}

/** Tells the parent of what happens, but not of all that happens. */
function told(): (event: RunEvent) => void {
  let phase: string | undefined;
  let last = 0;
  let warnings = 0;
  return (event) => {
    if (event.type === 'warning') {
      if (++warnings <= MOST_WARNINGS) say({ kind: 'event', event });
      return;
    }
    const now = performance.now();
    if (event.phase === phase && now - last < INTERVAL) return;
    phase = event.phase;
    last = now;
    say({ kind: 'event', event });
  };
}

/** A parent that is gone hears nothing. */
function say(message: Said): void {
  if (process.connected) process.send?.(message, () => {});
}
