import { throwIfAborted } from '../errors.js';
import type { Meter } from '../meter.js';
import { sharedFloat64, sharedUint32 } from '../threads/shared.js';
import { Thread } from '../threads/thread.js';
import { Turn } from '../threads/turn.js';
import { type Level, VERITY_BLOCK } from './levels.js';
import { type Findings, type Pass, work } from './pass.js';

/** Less than this a thread alone has hashed before another has started. */
const WORTH_A_THREAD = 32 * 2 ** 20;

/** Makes passes over levels, one after the other: this thread and one more, which starts once there is enough to do. To be closed. */
export class Passes {
  readonly #salt: Uint8Array;
  readonly #signal: AbortSignal;
  #thread: Thread<Pass, void> | undefined;

  constructor(salt: Uint8Array, signal: AbortSignal) {
    this.#salt = salt;
    this.#signal = signal;
  }

  /** Throws the first failure, or `INTERRUPTED`; no thread is at work any more then. */
  async make(level: Level, above: Level, about: { findings?: Findings; meter?: Meter } = {}): Promise<void> {
    const { findings, meter } = about;
    const done = sharedFloat64(2);
    const stop = sharedUint32(1);
    const pass: Pass = {
      level,
      above,
      salt: this.#salt,
      next: sharedUint32(1),
      stop,
      done,
      ...(findings && { findings }),
    };
    const other = level.blocks * VERITY_BLOCK < WORTH_A_THREAD ? Promise.resolve() : this.#send(pass);
    other.catch(() => Atomics.store(stop, 0, 1));
    try {
      await this.#join(pass, () => meter?.at(done[0]! + done[1]!));
    } catch (error) {
      Atomics.store(stop, 0, 1);
      await other.catch(() => {}); // the first failure is the one that is told
      throw error;
    }
    await other;
  }

  async close(): Promise<void> {
    await this.#thread?.terminate();
  }

  #send(pass: Pass): Promise<void> {
    this.#thread ??= new Thread(new URL('./worker.js', import.meta.url));
    return this.#thread.ask(pass);
  }

  async #join(pass: Pass, report: () => void): Promise<void> {
    const turn = new Turn();
    for (const _ of work(pass, 0)) {
      report();
      if (!turn.due()) continue;
      await turn.give();
      throwIfAborted(this.#signal);
    }
  }
}
