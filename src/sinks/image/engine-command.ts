import { createReadStream } from 'node:fs';
import { FlattenError, throwIfAborted } from '../../errors.js';
import { shown } from '../../oci/shown.js';
import type { Engine } from './engine.js';

const TAIL_LINES = 6;

/** The engine that a command leads to; undefined where it is not installed or reaches none. */
export async function commandEngine(
  program: 'docker' | 'podman',
  signal: AbortSignal,
): Promise<Engine | undefined> {
  const { execa } = await import('execa');
  const { failed } = await execa(program, ['info'], {
    cwd: '/',
    reject: false,
    stdin: 'ignore',
    cancelSignal: signal,
  });
  return failed ? undefined : { load: (fd, length, stop) => load(program, fd, length, stop) };
}

async function load(program: string, fd: number, length: number, signal: AbortSignal): Promise<void> {
  const { execa } = await import('execa');
  const result = await execa(program, ['load'], {
    cwd: '/',
    reject: false,
    input: createReadStream('', { fd, start: 0, end: length - 1, autoClose: false, highWaterMark: 1 << 20 }),
    all: true,
    cancelSignal: signal,
  });
  throwIfAborted(signal);
  if (!result.failed) return;
  const tail = (result.all ?? '').trim().split('\n').slice(-TAIL_LINES).join(' | ');
  throw new FlattenError(
    'TOOL',
    `${program} load failed: ${shown(tail || result.shortMessage || 'no reason given')}`,
    {
      cause: result,
    },
  );
}
