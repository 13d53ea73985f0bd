import type { Readable } from 'node:stream';
import type { Options } from 'execa';
import { FlattenError, throwIfAborted } from '../errors.js';
import { shown } from '../oci/shown.js';
import { imageIn } from './answer.js';
import type { Engine, SaveOptions } from './engine.js';
import { wholeArchive } from './saved.js';

const TAIL_LINES = 6;

type Program = 'docker' | 'podman';

/** How both programs say that they have no such image. */
const UNKNOWN = /no such image|image not known|failed to find image|unable to find/i;

/** The engine that a command leads to; undefined where it is not installed or reaches none. */
export async function commandEngine(program: Program, signal: AbortSignal): Promise<Engine | undefined> {
  const { failed } = await run(program, ['info'], signal);
  if (failed) return undefined;
  return {
    load: (archive, _, stop) => load(program, archive, stop),
    find: (name, stop) => find(program, name, stop),
    names: (stop) => names(program, stop),
    save: (name, options) => save(program, name, options),
  };
}

async function run(program: Program, args: readonly string[], signal: AbortSignal, more: Options = {}) {
  const { execa } = await import('execa');
  const options = { cwd: '/', reject: false, cancelSignal: signal, ...more } as const;
  const result = await execa(program, args, { stdin: more.input ? 'pipe' : 'ignore', ...options });
  return result as { failed: boolean; stdout?: string; stderr?: string; all?: string; shortMessage?: string };
}

async function load(program: Program, archive: Readable, signal: AbortSignal): Promise<void> {
  const result = await run(program, ['load'], signal, { input: archive, all: true });
  throwIfAborted(signal);
  if (result.failed) throw complaint(program, 'load', result.all, result);
}

async function find(program: Program, name: string, signal: AbortSignal) {
  const result = await run(program, ['image', 'inspect', name], signal);
  throwIfAborted(signal);
  if (!result.failed) return imageIn(result.stdout ?? '');
  if (UNKNOWN.test(result.stderr ?? '')) return undefined;
  throw complaint(program, 'image inspect', result.stderr, result);
}

async function names(program: Program, signal: AbortSignal): Promise<readonly string[]> {
  const result = await run(program, ['image', 'ls', '--format', '{{.Repository}}:{{.Tag}}'], signal);
  throwIfAborted(signal);
  if (result.failed) throw complaint(program, 'image ls', result.stderr, result);
  return [...new Set((result.stdout ?? '').split('\n'))].filter((name) => name && !name.includes('<none>'));
}

async function save(program: Program, name: string, { signal }: SaveOptions): Promise<Readable> {
  const { execa } = await import('execa');
  const child = execa(program, ['save', name], {
    cwd: '/',
    reject: false,
    stdin: 'ignore',
    buffer: { stdout: false },
    cancelSignal: signal,
  });
  return wholeArchive(child.stdout, async () => {
    const result = await child;
    throwIfAborted(signal);
    if (result.failed) throw complaint(program, 'save', result.stderr, result);
  });
}

function complaint(
  program: Program,
  doing: string,
  said: string | undefined,
  cause: { readonly shortMessage?: string | undefined },
): FlattenError {
  const tail = (said ?? '').trim().split('\n').slice(-TAIL_LINES).join(' | ');
  const what = shown(tail || cause.shortMessage || 'no reason given');
  return new FlattenError('TOOL', `${program} ${doing} failed: ${what}`, { cause });
}
