import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { RunEvent } from '../context.js';
import { FlattenError, throwIfAborted } from '../errors.js';
import { shown } from '../oci/shown.js';
import { errorOf } from '../threads/failure.js';
import type { Said, Task } from './messages.js';

/** Milliseconds that a process has to take away what is half-made, once it is told to end. */
const GRACE = 5_000;

/** What a process says of its end, in characters. */
const TAIL = 2000;

/** Bytes of memory with which a process is not used again. One image takes some 150 MB, one of very many files more. */
const MOST_MEMORY = 512 * 2 ** 20;

/** Options of Node that hold for the processes of images too. */
const NODE_OPTIONS =
  /^--(max-old-space-size|max-semi-space-size|stack-size|use-(openssl|bundled|system)-ca)\b/;

/** How a task is gone about. */
export interface AskOptions {
  readonly signal: AbortSignal;
  /** Seconds that it may take. Default: for ever. */
  readonly timeout?: number;
  readonly onEvent?: (event: RunEvent) => void;
}

/** What comes after the events. */
type Ended = Exclude<Said, { readonly kind: 'event' }>;
type Answer<T extends Task['kind']> = Extract<Ended, { readonly kind: T }>;

/**
 * A process of its own for images, one at a time. It is started by its first task, and used again while all goes well: what fails, takes too long,
 * or leaves much memory behind ends it. Call `end` in any case.
 */
export class ImageProcess {
  #child: ChildProcess | undefined;
  #tail = '';

  /** Does a task. Throws what went wrong with the image, `TIMEOUT`, `DIED`, or `INTERRUPTED` once the signal is aborted; then no process works at it any more. */
  async ask<T extends Task['kind']>(
    task: Task & { readonly kind: T },
    options: AskOptions,
  ): Promise<Answer<T>> {
    throwIfAborted(options.signal);
    try {
      const answer = await this.#answerOf(task, options);
      if (answer.kind === 'failed') throw errorOf(answer.failure);
      if (answer.memory > MOST_MEMORY) await this.end();
      return answer as Answer<T>;
    } catch (error) {
      await this.end();
      throw error;
    }
  }

  /** Ends the process, by its own work if it can, and by force if it cannot. Resolves when it is gone. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || isGone(child)) return;
    const gone = once(child, 'exit');
    const force = setTimeout(() => child.kill('SIGKILL'), GRACE);
    child.kill('SIGTERM');
    if (child.connected) child.disconnect();
    await gone;
    clearTimeout(force);
  }

  async #answerOf<T extends Task['kind']>(
    task: Task & { readonly kind: T },
    { signal, timeout, onEvent }: AskOptions,
  ): Promise<Ended> {
    const child = this.#started();
    let listen = (_: Said) => {};
    let left = (_code: number | null, _signal: NodeJS.Signals | null) => {};
    let stop = () => {};
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Ended>((resolve, reject) => {
        listen = (said) => {
          if (said.kind === 'event') onEvent?.(said.event);
          else resolve(said);
        };
        left = (code, by) => reject(this.#died(code, by));
        stop = () => reject(new FlattenError('INTERRUPTED', 'interrupted', { cause: signal.reason }));
        child.on('message', listen);
        child.on('close', left); // all that it said has come by then
        child.on('error', reject);
        signal.addEventListener('abort', stop);
        if (timeout !== undefined) timer = setTimeout(() => reject(tookTooLong(timeout)), timeout * 1000);
        child.send(task, (error) => {
          if (error && child.connected) reject(error);
        });
      });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      child
        .off('message', listen)
        .off('close', left)
        .removeAllListeners('error')
        .on('error', () => {});
    }
  }

  #started(): ChildProcess {
    if (this.#child && !isGone(this.#child) && this.#child.connected) return this.#child;
    const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), [], {
      execArgv: process.execArgv.filter((option) => NODE_OPTIONS.test(option)),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      serialization: 'advanced',
    });
    this.#tail = '';
    child.stderr!.setEncoding('latin1').on('data', (text: string) => {
      this.#tail = (this.#tail + text).slice(-TAIL);
    });
    this.#child = child;
    return child;
  }

  #died(code: number | null, signal: NodeJS.Signals | null): FlattenError {
    const hint = 'make fewer images at a time: {jobs: 1}; or give it more memory';
    if (/heap out of memory|Allocation failed/.test(this.#tail))
      return new FlattenError('DIED', 'the process of this image ran out of memory', {
        hint: `${hint}: NODE_OPTIONS=--max-old-space-size=8192`,
      });
    if (signal === 'SIGKILL')
      return new FlattenError(
        'DIED',
        'the process of this image was killed (SIGKILL), as where memory runs out',
        {
          hint,
        },
      );
    const how = signal === null ? `exit code ${code}` : signal;
    const said = this.#tail
      .trim()
      .split('\n')
      .filter((line) => line.trim() !== '')
      .slice(0, 6);
    const more = said.length === 0 ? '' : `: ${shown(said.map((line) => line.trim()).join(' | '))}`;
    return new FlattenError('DIED', `the process of this image ended (${how})${more}`);
  }
}

function isGone({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

function tookTooLong(seconds: number): FlattenError {
  return new FlattenError('TIMEOUT', `was not done within ${seconds} s`, {
    hint: `give it more time: {timeout: ${seconds * 2}}`,
  });
}
