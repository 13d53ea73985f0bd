import { setTimeout } from 'node:timers/promises';
import type { Context } from '../context.js';
import { FlattenError, throwIfAborted } from '../errors.js';

/** How waiting is done, and who is told. */
export interface Waiting {
  readonly report: Context['report'];
  /** Milliseconds. Default: by the clock. */
  readonly pause?: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  /** From 0 to 1. Default: Math.random. */
  readonly random?: () => number;
  /** Tries in all. Default {@link TRIES}. */
  readonly tries?: number;
}

/** Tries in all, and milliseconds before the second; each further one waits twice as long. */
const TRIES = 6;
const FIRST_WAIT = 500;

/** What a server may ask to wait for, in milliseconds. Nobody sits before a terminal for longer. */
const LONGEST_WAIT = 15 * 60_000;

/** Waits of which people are told. */
const TOLD = 1000;

/** Bytes after which a connection that is cut again is a new matter: it does go on. */
export const PROGRESS = 2 ** 20;

/** Waits before one thing is tried again: longer each time, and by chance, so that many clients do not come back at once. */
export class Patience {
  readonly #host: string;
  readonly #waiting: Waiting;
  #tries = 1;

  constructor(host: string, waiting: Waiting) {
    this.#host = host;
    this.#waiting = waiting;
  }

  /** Whether it has been tried often enough. */
  get isOver(): boolean {
    return this.#tries >= (this.#waiting.tries ?? TRIES);
  }

  /** It went on: what comes next is a new matter. */
  reset(): void {
    this.#tries = 1;
  }

  /** Waits before the next try; as long as the server says, where it does (RFC 9110, section 10.2.3). Throws `NETWORK` where that is too long. */
  async wait(why: string, signal: AbortSignal, retryAfter?: string): Promise<void> {
    throwIfAborted(signal);
    const { report, pause = byClock, random = Math.random } = this.#waiting;
    const longest = FIRST_WAIT * 2 ** (this.#tries++ - 1);
    const asked = retryAfter === undefined ? undefined : parseRetryAfter(retryAfter, Date.now());
    const milliseconds = asked ?? Math.round(longest * (0.5 + random() / 2));
    if (milliseconds > LONGEST_WAIT) {
      throw new FlattenError(
        'NETWORK',
        `${this.#host}: ${why}, and wants to be asked again in ${inMinutes(milliseconds)}`,
        {
          hint: 'try again then; registries let those do more who log in: docker login HOST',
        },
      );
    }
    if (milliseconds >= TOLD) {
      const message = `${this.#host}: ${why}, waiting ${Math.ceil(milliseconds / 1000)} s`;
      report({ type: 'warning', code: 'WAITING', message });
    }
    await pause(milliseconds, signal).catch(() => {});
    throwIfAborted(signal);
  }
}

const byClock = (milliseconds: number, signal: AbortSignal) =>
  setTimeout(milliseconds, undefined, { signal });

/** Milliseconds from `now` on, of seconds or a date; undefined for what is neither. */
function parseRetryAfter(text: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(text.trim())) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

function inMinutes(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 60_000)} minutes`;
}
