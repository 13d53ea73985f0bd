import type { Readable } from 'node:stream';
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
  return failed ? undefined : { load: (archive, _, stop) => load(program, archive, stop) };
}

async function load(program: string, archive: Readable, signal: AbortSignal): Promise<void> {
  const { execa } = await import('execa');
  const result = await execa(program, ['load'], {
    cwd: '/',
    reject: false,
    input: archive,
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
