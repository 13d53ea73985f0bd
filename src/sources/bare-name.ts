import { runningEngines } from '../engine/find.js';
import { throwIfAborted } from '../errors.js';
import { withTimeLimit } from '../host/time-limit.js';

/** Milliseconds in which an engine is to say whether it has an image: this is only for a hint. */
const PATIENCE = 2000;

/**
 * The hint for a path that is not there and looks like the name of an image, as `alpine:3.20`: where such an image may be. Nothing is asked but
 * engines of this machine.
 */
export async function bareNameHint(name: string, signal: AbortSignal): Promise<string> {
  const lines = [`if it is an image of a registry: {input: docker://${name}}`];
  if (await isKept(name, signal)) lines.push(`as a running engine has it: {input: docker-daemon:${name}}`);
  return lines.join('\n');
}

async function isKept(name: string, signal: AbortSignal): Promise<boolean> {
  const limit = withTimeLimit(signal, PATIENCE);
  const isOver = new Promise<false>((resolve) => {
    limit.addEventListener('abort', () => resolve(false), { once: true });
  });
  const found = await Promise.race([isFound(name, limit).catch(() => false), isOver]);
  throwIfAborted(signal);
  return found;
}

async function isFound(name: string, signal: AbortSignal): Promise<boolean> {
  for await (const engine of runningEngines(signal)) if (await engine.find(name, signal)) return true;
  return false;
}
